#include "memory_read.h"

#include <errno.h>
#include <string.h>

static int read_member(struct memory_reader *reader, const struct jsonr *in)
{
    struct record *record = reader->record;
    int64_t number = 0, told = 0, step = 0, first_ms = 0, last_ms = 0;
    struct member *member;
    int rc;

    if ((rc = jsonr_integer(in, "group", JSONR_REQUIRED, &number)) < 0 ||
        (rc = jsonr_integer(in, "told", JSONR_REQUIRED, &told)) < 0 ||
        (rc = jsonr_integer(in, "step", JSONR_REQUIRED, &step)) < 0 ||
        (rc = jsonr_integer(in, "first", JSONR_REQUIRED, &first_ms)) < 0 ||
        (rc = jsonr_integer(in, "last", JSONR_REQUIRED, &last_ms)) < 0)
        return rc;
    if ((size_t)number >= reader->n_groups)
        return jsonr_fail(in, "group", "there is no such group");
    if (!reader->groups[number] || member_find(record, reader->groups[number]))
        return 0;
    member = member_join(reader->groups[number], record);
    if (!member)
        return -ENOMEM;
    member->told = (unsigned)told;
    member->step = (unsigned)step;
    if (member->step > member->group->route->n_steps)
        member->step = (unsigned)member->group->route->n_steps;
    member->first_told_ms = first_ms;
    member->told_ms = last_ms;
    return 0;
}

static int read_name(const struct jsonr *in, const char *key, char out[TOPIC_NAME_SIZE])
{
    const char *name = NULL;
    int rc = jsonr_text(in, key, JSONR_REQUIRED, &name);

    if (rc == 0 && !topic_name_valid(name))
        rc = jsonr_fail(in, key, "a name is expected");
    if (rc == 0)
        strcpy(out, name);
    return rc;
}

static int read_topic(const struct jsonr *in, struct topic *out)
{
    int rc = read_name(in, "location", out->location);

    out->kind = TOPIC_ALERT;
    if (rc == 0)
        rc = read_name(in, "device", out->device);
    if (rc == 0)
        rc = read_name(in, "rule", out->name);
    return rc;
}

static int read_alert(const struct jsonr *in, struct alert *out)
{
    const char *state = NULL, *severity = NULL;
    int64_t episode = 0;
    int rc;

    if ((rc = jsonr_text(in, "state", JSONR_REQUIRED, &state)) < 0 ||
        (rc = jsonr_text(in, "severity", JSONR_REQUIRED, &severity)) < 0 ||
        (rc = jsonr_integer(in, "episode", JSONR_REQUIRED, &episode)) < 0 ||
        (rc = jsonr_integer(in, "since", JSONR_REQUIRED, &out->since_ms)) < 0 ||
        (rc = jsonr_text(in, "message", JSONR_REQUIRED, &out->message)) < 0 ||
        (rc = jsonr_value(in, "value", JSONR_OPTIONAL, &out->value)) < 0)
        return rc;
    out->episode = (uint64_t)episode;
    if (alert_state_parse(&out->state, state) < 0 ||
        alert_severity_parse(&out->severity, severity) < 0)
        return jsonr_fail(in, NULL, "the state or the severity is an unknown word");
    return 0;
}

static int read_acknowledgement(const struct jsonr *in, struct record *record)
{
    struct value acknowledged = value_bool(false);
    const char *by = NULL, *comment = NULL;
    int rc = jsonr_value(in, "acknowledged", JSONR_OPTIONAL, &acknowledged);

    if (rc == 0)
        rc = jsonr_text(in, "by", JSONR_OPTIONAL, &by);
    if (rc == 0)
        rc = jsonr_text(in, "comment", JSONR_OPTIONAL, &comment);
    if (rc < 0 || acknowledged.type != VALUE_BOOL || !acknowledged.boolean)
        return rc;
    return book_acknowledge(record, by, comment);
}

static int read_flap(const struct jsonr *in, struct flap *out)
{
    struct value on = value_bool(false);
    int rc = jsonr_value(in, "flapping", JSONR_OPTIONAL, &on);
    int n;

    if (rc < 0)
        return rc;
    n = memory_read_times(in, "changes", out->at_ms, FLAP_CHANGES_MAX);
    if (n < 0)
        return n;
    out->n = (size_t)n;
    out->on = on.type == VALUE_BOOL && on.boolean && n > 0;
    return 0;
}

int memory_read_record(struct memory_reader *reader, const struct jsonr *in)
{
    struct topic topic = {0};
    struct alert alert = {0};
    struct record *record;
    int rc = read_topic(in, &topic);

    if (rc == 0)
        rc = read_alert(in, &alert);
    if (rc < 0)
        return rc;
    if (book_full(reader->core->book) && !book_find(reader->core->book, &topic)) {
        reader->core->stats.forgotten += alert.state != ALERT_RESOLVED; /* less is remembered now */
        return 0;
    }
    record = book_get(reader->core->book, &topic);
    rc = record ? book_write(reader->core->book, record, &alert) : -ENOMEM;
    if (rc == 0)
        rc = read_acknowledgement(in, record);
    if (rc == 0)
        rc = read_flap(in, &record->flap);
    reader->record = record;
    return rc == 0 ? memory_read_each(reader, in, "members", read_member) : rc;
}
