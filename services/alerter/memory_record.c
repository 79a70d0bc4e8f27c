#include "memory_read.h"

#include <errno.h>
#include <string.h>

static int read_flag(const struct jsonr *in, const char *key, bool *out)
{
    struct value value = value_bool(false);
    int rc = jsonr_value(in, key, JSONR_OPTIONAL, &value);

    *out = value.type == VALUE_BOOL && value.boolean;
    return rc;
}

static int read_count(const struct jsonr *in, const char *key, enum jsonr_need need, unsigned *out)
{
    int64_t count = *out;
    int rc = jsonr_integer(in, key, need, &count);

    *out = (unsigned)count;
    return rc;
}

static int read_severity(const struct jsonr *in, const char *key, enum alert_severity *out)
{
    const char *severity = NULL;
    int rc = jsonr_text(in, key, JSONR_OPTIONAL, &severity);

    if (rc < 0 || !severity)
        return rc;
    if (alert_severity_parse(out, severity) < 0)
        return jsonr_fail(in, key, "an unknown word");
    return 0;
}

static int read_told(const struct memory_reader *reader, const struct jsonr *in,
                     struct member *member)
{
    size_t n_steps = member->group->route->n_steps;
    int rc;

    if ((rc = read_count(in, "told", JSONR_REQUIRED, &member->told)) < 0 ||
        (rc = read_count(in, "step", JSONR_REQUIRED, &member->step)) < 0 ||
        (rc = jsonr_integer(in, "first", JSONR_REQUIRED, &member->first_told_ms)) < 0 ||
        (rc = jsonr_integer(in, "last", JSONR_REQUIRED, &member->told_ms)) < 0)
        return rc;
    if (member->step > n_steps) /* there are fewer now */
        member->step = (unsigned)n_steps;
    member->severity = member->record->severity;
    if (member->told) /* as older files mean it */
        member->owed = member_channels(member, ITEM_FIRING);
    if ((rc = read_severity(in, "severity", &member->severity)) < 0 ||
        (rc = read_flag(in, "moved", &member->moved)) < 0 ||
        (rc = memory_read_channels(reader, in, "owed", &member->owed)) < 0)
        return rc;
    return 0;
}

/* Its route is no more. The root tells those who heard of the alert that it has moved, and its end;
 * where the root takes the alert itself, it tells it anew. */
static void adopt(struct core *core, struct member *member)
{
    if (!member->moved)
        member->told &= ~TOLD(ITEM_MOVED);
    member->moved = true;
    core_expect_news(core, member->group, 0, core->time_ms);
}

static int join(struct memory_reader *reader, const struct jsonr *in, struct group *group,
                bool orphan)
{
    struct member *known = member_find(reader->record, group), *member;
    uint32_t owed = 0;
    int rc;

    if (known) { /* of another route that is no more, or twice in the file */
        rc = memory_read_channels(reader, in, "owed", &owed);
        known->owed |= owed;
        return rc;
    }
    member = member_join(group, reader->record);
    if (!member)
        return -ENOMEM;
    member->moved = orphan; /* what its route's channels were, an older file does not say */
    return read_told(reader, in, member);
}

static int read_orphan(struct memory_reader *reader, const struct jsonr *in)
{
    struct core *core = reader->core;
    struct group *group = groups_get(&core->groups, core->settings->route, reader->record);
    int rc = group ? join(reader, in, group, true) : -ENOMEM;

    if (rc == 0)
        adopt(core, member_find(reader->record, group));
    return rc;
}

static int read_member(struct memory_reader *reader, const struct jsonr *in)
{
    int64_t number = 0;
    int rc = jsonr_integer(in, "group", JSONR_REQUIRED, &number);

    if (rc < 0)
        return rc;
    if ((size_t)number >= reader->n_groups)
        return jsonr_fail(in, "group", "there is no such group");
    if (!reader->groups[number])
        return read_orphan(reader, in);
    return join(reader, in, reader->groups[number], false);
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
    const char *by = NULL, *comment = NULL;
    bool acknowledged;
    int rc = read_flag(in, "acknowledged", &acknowledged);

    if (rc == 0)
        rc = jsonr_text(in, "by", JSONR_OPTIONAL, &by);
    if (rc == 0)
        rc = jsonr_text(in, "comment", JSONR_OPTIONAL, &comment);
    if (rc < 0 || !acknowledged)
        return rc;
    rc = book_acknowledge(record, by, comment);
    return rc < 0 ? rc : 0;
}

static int read_flap(const struct jsonr *in, struct flap *out)
{
    bool on;
    int n, rc = read_flag(in, "flapping", &on);

    if (rc < 0)
        return rc;
    n = memory_read_times(in, "changes", out->at_ms, FLAP_CHANGES_MAX);
    if (n < 0)
        return n;
    out->n = (size_t)n;
    out->on = on && n > 0;
    return 0;
}

static int read_end(const struct jsonr *in, struct record *out)
{
    int rc = jsonr_integer(in, "over", JSONR_OPTIONAL, &out->over_ms);

    if (rc == 0)
        rc = read_flag(in, "removed", &out->removed);
    return rc < 0 ? rc : read_flag(in, "lost", &out->lost);
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
    rc = record ? book_write(reader->core->book, record, &alert, reader->core->time_ms) : -ENOMEM;
    if (rc == 0)
        rc = read_end(in, record);
    if (rc == 0)
        rc = read_acknowledgement(in, record);
    if (rc == 0)
        rc = read_flap(in, &record->flap);
    reader->record = record;
    return rc == 0 ? memory_read_each(reader, in, "members", read_member) : rc;
}
