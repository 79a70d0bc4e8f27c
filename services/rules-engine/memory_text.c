#include "memory_text.h"
#include "crc32c.h"
#include "number.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CRC_LENGTH 10 /* " #" and 8 digits */
#define COUNT_MAX (UINT64_C(1) << 53)
#define TIME_MAX INT64_C(1000000000000000) /* ms: the year 33658 */

static const char *const phases[2][2] = {{"inactive", "waiting"}, {"active", "clearing"}};

static void finish(struct buffer *out, size_t start)
{
    if (out->failed)
        return;
    uint32_t crc = crc32c(0, out->data + start, out->size - start);
    buffer_format(out, " #%08" PRIx32 "\n", crc);
}

void memory_text_head(struct buffer *out)
{
    size_t start = out->size;
    buffer_text(out, "memory 2");
    finish(out, start);
}

void memory_text_alive(struct buffer *out, int64_t time_ms)
{
    size_t start = out->size;
    buffer_format(out, "alive %" PRId64, time_ms);
    finish(out, start);
}

static void write_pid(struct buffer *out, const struct pid *pid)
{
    const double numbers[] = {pid->integral, pid->derivative, pid->measured, pid->output};
    size_t n = sizeof(numbers) / sizeof(numbers[0]);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(numbers[i]))
            return; /* begins anew then */
    buffer_format(out, " %s=%" PRId64, pid->running ? "pid" : "rest", pid->last_ms);
    for (size_t i = 0; i < n; i++) {
        buffer_char(out, ',');
        buffer_number(out, numbers[i]);
    }
}

void memory_text_state(struct buffer *out, const struct engine_memory *memory)
{
    size_t start = out->size;
    buffer_format(out, "%s%s%s%s%s %" PRId64 " %" PRIu64 " %s %s %s meaning=%016" PRIx64,
                  phases[memory->active][memory->waiting], memory->stale ? ",stale" : "",
                  memory->owing ? ",owing" : "", memory->changed ? ",changed" : "",
                  memory->by_hand ? ",hand" : "", memory->since_ms, memory->episode,
                  memory->place.location, memory->place.device, memory->rule, memory->meaning);
    if (memory->alerting || memory->failed)
        buffer_format(out, " %s=%s", memory->alerting ? "alert" : "severity",
                      alert_severity_name(memory->severity));
    if (memory->failed_episode > 0)
        buffer_format(out, " failed=%" PRIu64 "%s", memory->failed_episode,
                      memory->failed ? "+" : "");
    if (memory->fired_ms > 0)
        buffer_format(out, " fired=%" PRId64, memory->fired_ms);
    if (memory->cleared_ms > 0)
        buffer_format(out, " cleared=%" PRId64, memory->cleared_ms);
    if (memory->controls)
        write_pid(out, &memory->pid);
    if (memory->controls && memory->commanded && isfinite(memory->said)) {
        buffer_text(out, " said=");
        buffer_number(out, memory->said);
    }
    finish(out, start);
}

/* A whole number, up to `end` or the end of the text. */
static bool read_count(const char **text, char end, uint64_t *out)
{
    uint64_t number = 0;
    const char *at = *text;
    for (; *at >= '0' && *at <= '9' && number < COUNT_MAX; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    if (at == *text || (*at != '\0' && *at != end) || number > COUNT_MAX)
        return false;
    *text = at + (*at != '\0');
    *out = number;
    return true;
}

static bool read_time(const char **text, char end, int64_t *out)
{
    uint64_t number;
    if (!read_count(text, end, &number) || number > (uint64_t)TIME_MAX)
        return false;
    *out = (int64_t)number;
    return true;
}

static bool read_state(struct engine_memory *out, char *word)
{
    char *rest = NULL, *name = strtok_r(word, ",", &rest);
    bool found = false;
    for (int i = 0; name && i < 4; i++) {
        if (strcmp(name, phases[i / 2][i % 2]) != 0)
            continue;
        out->active = i / 2;
        out->waiting = i % 2;
        found = true;
    }
    while (found && (name = strtok_r(NULL, ",", &rest))) {
        bool *flag = strcmp(name, "stale") == 0     ? &out->stale
                     : strcmp(name, "owing") == 0   ? &out->owing
                     : strcmp(name, "changed") == 0 ? &out->changed
                     : strcmp(name, "hand") == 0    ? &out->by_hand
                                                    : NULL;
        if (!flag)
            return false;
        *flag = true;
    }
    return found;
}

static bool read_meaning(struct engine_memory *out, const char *text)
{
    if (strlen(text) != 16 || strspn(text, "0123456789abcdef") != 16)
        return false;
    out->meaning = strtoull(text, NULL, 16);
    return true;
}

static bool read_failed(struct engine_memory *out, const char *text)
{
    out->failed = strchr(text, '+') != NULL;
    return read_count(&text, '+', &out->failed_episode) && *text == '\0';
}

static bool read_pid(struct engine_memory *out, const char *text)
{
    double *const numbers[] = {&out->pid.integral, &out->pid.derivative, &out->pid.measured,
                               &out->pid.output};
    if (!read_time(&text, ',', &out->pid.last_ms))
        return false;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        size_t length = strcspn(text, ",");
        if (number_parse(text, length, numbers[i]) < 0)
            return false;
        text += length + (text[length] != '\0');
    }
    out->controls = true;
    return *text == '\0';
}

static bool read_key(struct engine_memory *out, char *word)
{
    char *value = strchr(word, '=');
    if (!value)
        return false;
    *value++ = '\0';
    const char *text = value;
    if (strcmp(word, "meaning") == 0)
        return read_meaning(out, text);
    if (strcmp(word, "alert") == 0 || strcmp(word, "severity") == 0) {
        out->alerting = word[0] == 'a';
        return alert_severity_parse(&out->severity, text) == 0;
    }
    if (strcmp(word, "failed") == 0)
        return read_failed(out, text);
    if (strcmp(word, "fired") == 0)
        return read_time(&text, '\0', &out->fired_ms);
    if (strcmp(word, "cleared") == 0)
        return read_time(&text, '\0', &out->cleared_ms);
    if (strcmp(word, "said") == 0) {
        out->commanded = true;
        return number_parse(text, strlen(text), &out->said) == 0;
    }
    out->pid.running = strcmp(word, "pid") == 0;
    return (out->pid.running || strcmp(word, "rest") == 0) && read_pid(out, text);
}

static bool read_name(char out[TOPIC_NAME_SIZE], const char *word)
{
    if (!word || !topic_name_valid(word))
        return false;
    snprintf(out, TOPIC_NAME_SIZE, "%s", word);
    return true;
}

static bool read_words(struct memory_line *out, char *text)
{
    char *rest = NULL, *word = strtok_r(text, " ", &rest);
    const char *since, *episode;
    if (!word || !read_state(&out->memory, word) || !(since = strtok_r(NULL, " ", &rest)) ||
        !read_time(&since, '\0', &out->memory.since_ms) ||
        !(episode = strtok_r(NULL, " ", &rest)) ||
        !read_count(&episode, '\0', &out->memory.episode) ||
        !read_name(out->location, strtok_r(NULL, " ", &rest)) ||
        !read_name(out->device, strtok_r(NULL, " ", &rest)) ||
        !read_name(out->rule, strtok_r(NULL, " ", &rest)))
        return false;
    while ((word = strtok_r(NULL, " ", &rest)))
        if (!read_key(&out->memory, word))
            return false;
    out->memory.rule = out->rule;
    out->memory.place = (struct engine_place){out->location, out->device};
    return true;
}

int memory_text_read(struct memory_line *out, const char *line, size_t length)
{
    char text[MEMORY_TEXT_MAX + 1], crc[CRC_LENGTH + 1];
    *out = (struct memory_line){.kind = MEMORY_STATE};
    if (length <= CRC_LENGTH || length > MEMORY_TEXT_MAX || memchr(line, '\0', length))
        return -EBADMSG;
    length -= CRC_LENGTH;
    snprintf(crc, sizeof(crc), " #%08" PRIx32, crc32c(0, line, length));
    if (memcmp(line + length, crc, CRC_LENGTH) != 0)
        return -EBADMSG;
    memcpy(text, line, length);
    text[length] = '\0';
    const char *alive = text + strlen("alive ");
    if (strcmp(text, "memory 2") == 0) {
        out->kind = MEMORY_HEAD;
        return 0;
    }
    if (strncmp(text, "alive ", strlen("alive ")) != 0)
        return read_words(out, text) ? 0 : -EBADMSG;
    out->kind = MEMORY_ALIVE;
    return read_time(&alive, '\0', &out->alive_ms) ? 0 : -EBADMSG;
}
