#include "silence.h"

#include "jsonr.h"
#include "wildcard.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void silence_free(struct silence *silence)
{
    free((char *)silence->match.severity);
    free((char *)silence->match.location);
    free((char *)silence->match.device);
    free((char *)silence->match.rule);
    free(silence->comment);
    *silence = (struct silence){0};
}

static bool copy_text(const char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return *out || !text;
}

int silence_copy(struct silence *out, const struct silence *from)
{
    bool copied;

    *out = *from;
    copied = copy_text(&out->match.severity, from->match.severity);
    copied &= copy_text(&out->match.location, from->match.location);
    copied &= copy_text(&out->match.device, from->match.device);
    copied &= copy_text(&out->match.rule, from->match.rule);
    copied &= copy_text((const char **)&out->comment, from->comment);
    if (copied)
        return 0;
    silence_free(out);
    return -ENOMEM;
}

void silences_free(struct silences *silences)
{
    for (size_t i = 0; i < silences->n; i++)
        silence_free(&silences->list[i]);
    free(silences->list);
    *silences = (struct silences){0};
}

static int read_pattern(const struct jsonr *in, const char *key, const char **out)
{
    const char *pattern = NULL;
    int rc = jsonr_text(in, key, JSONR_OPTIONAL, &pattern);

    if (rc < 0 || !pattern)
        return rc;
    if (!wildcard_valid(pattern))
        return jsonr_fail(in, key, "a pattern is of a-z, 0-9, _, - and *, with | between several");
    *out = strdup(pattern);
    return *out ? 0 : -ENOMEM;
}

static int read_match(const struct jsonr *in, struct match *out)
{
    struct jsonr inner = {.path = "match.", .error = in->error, .error_size = in->error_size};
    int rc = jsonr_object(in, "match", JSONR_REQUIRED, &inner.object);

    if (rc == 0)
        rc = read_pattern(&inner, "severity", &out->severity);
    if (rc == 0)
        rc = read_pattern(&inner, "location", &out->location);
    if (rc == 0)
        rc = read_pattern(&inner, "device", &out->device);
    if (rc == 0)
        rc = read_pattern(&inner, "rule", &out->rule);
    return rc;
}

static int read_members(const struct jsonr *in, struct silence *out)
{
    const char *by = "", *comment = NULL;
    int rc = read_match(in, &out->match);

    if (rc == 0)
        rc = jsonr_integer(in, "until", JSONR_REQUIRED, &out->until_ms);
    if (rc == 0)
        rc = jsonr_text(in, "by", JSONR_REQUIRED, &by);
    if (rc == 0)
        rc = jsonr_text(in, "comment", JSONR_OPTIONAL, &comment);
    if (rc < 0)
        return rc;
    if (*by == '\0' || strlen(by) >= sizeof out->by)
        return jsonr_fail(in, "by", "a name of 1 to %zu bytes is expected", sizeof out->by - 1);
    strcpy(out->by, by);
    if (comment && !(out->comment = strdup(comment)))
        return -ENOMEM;
    return 0;
}

static int read_silence(struct silence *out, const char *name, const struct jsonr *in)
{
    int rc;

    *out = (struct silence){0};
    snprintf(out->name, sizeof out->name, "%s", name);
    rc = read_members(in, out);
    if (rc < 0)
        silence_free(out);
    return rc;
}

int silence_decode(struct silence *out, const char *name, const void *payload, size_t size,
                   char *error, size_t error_size)
{
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    int rc = jsonr_parse_object(&in, payload, size);

    if (rc == 0)
        rc = read_silence(out, name, &in);
    jsonr_free(in.object);
    return rc;
}

int silence_read(struct silence *out, const struct jsonr *in)
{
    const char *name = NULL;
    int rc = jsonr_text(in, "name", JSONR_REQUIRED, &name);

    return rc < 0 ? rc : read_silence(out, name, in);
}

static struct silence *find(const struct silences *silences, const char *name)
{
    for (size_t i = 0; i < silences->n; i++)
        if (strcmp(silences->list[i].name, name) == 0)
            return &silences->list[i];
    return NULL;
}

int silences_put(struct silences *silences, const struct silence *silence)
{
    struct silence *known = find(silences, silence->name);

    if (known) {
        silence_free(known);
    } else {
        struct silence *grown;

        if (silences->n == SILENCES_MAX)
            return -ENOSPC;
        grown = realloc(silences->list, (silences->n + 1) * sizeof *grown);
        if (!grown)
            return -ENOMEM;
        silences->list = grown;
        known = &grown[silences->n++];
    }
    *known = *silence;
    return 0;
}

const struct silence *silences_named(const struct silences *silences, const char *name)
{
    return find(silences, name);
}

static void remove_at(struct silences *silences, size_t place)
{
    silence_free(&silences->list[place]);
    silences->list[place] = silences->list[--silences->n];
}

bool silences_lift(struct silences *silences, const char *name)
{
    struct silence *known = find(silences, name);

    if (known)
        remove_at(silences, (size_t)(known - silences->list));
    return known;
}

void silences_doubt(struct silences *silences)
{
    for (size_t i = 0; i < silences->n; i++)
        silences->list[i].doubted = !silences->list[i].configured;
}

size_t silences_drop_doubted(struct silences *silences)
{
    size_t before = silences->n;

    for (size_t i = silences->n; i-- > 0;)
        if (silences->list[i].doubted)
            remove_at(silences, i);
    return before - silences->n;
}

void silences_expire(struct silences *silences, int64_t time_ms)
{
    for (size_t i = silences->n; i-- > 0;)
        if (silences->list[i].until_ms <= time_ms)
            remove_at(silences, i);
}

const struct silence *silences_find(const struct silences *silences, const struct topic *topic,
                                    enum alert_severity severity, int64_t time_ms)
{
    const struct silence *longest = NULL;

    for (size_t i = 0; i < silences->n; i++) {
        const struct silence *silence = &silences->list[i];

        if (silence->until_ms > time_ms && (!longest || silence->until_ms > longest->until_ms) &&
            match_takes(&silence->match, topic, severity))
            longest = silence;
    }
    return longest;
}

static void write_pattern(struct jsonw *w, const char *key, const char *pattern)
{
    if (pattern)
        jsonw_text(w, key, pattern);
}

void silence_write(const struct silence *silence, struct jsonw *w)
{
    jsonw_text(w, "name", silence->name);
    jsonw_object_begin(w, "match");
    write_pattern(w, "severity", silence->match.severity);
    write_pattern(w, "location", silence->match.location);
    write_pattern(w, "device", silence->match.device);
    write_pattern(w, "rule", silence->match.rule);
    jsonw_object_end(w);
    jsonw_integer(w, "until", silence->until_ms);
    jsonw_text(w, "by", silence->by);
    jsonw_text(w, "comment", silence->comment);
}
