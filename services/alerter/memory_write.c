#include "memory.h"

#include "core_state.h"
#include "crc32c.h"
#include "file_replace.h"
#include "notification_json.h"

#include <errno.h>
#include <stdio.h>

static void begin_line(struct jsonw *w, const char *kind)
{
    jsonw_object_begin(w, NULL);
    jsonw_object_begin(w, kind);
}

static void end_line(struct jsonw *w)
{
    jsonw_object_end(w);
    jsonw_object_end(w);
    buffer_char(w->out, '\n');
    w->comma = false; /* the next line is a document of its own */
}

struct numbering {
    struct jsonw *w;
    size_t n;
};

/* Groups are numbered as they are written; members name them so. */
static void write_group(void *self, struct group *group)
{
    struct numbering *numbering = self;
    struct jsonw *w = numbering->w;

    group->number = numbering->n++;
    begin_line(w, "group");
    jsonw_text(w, "route", group->route->name);
    jsonw_text(w, "label", group->label);
    if (group->news_ms != INT64_MAX)
        jsonw_integer(w, "news", group->news_ms);
    if (group->moment.place)
        jsonw_integer(w, "moment", group->moment.at_ms);
    if (group->notified_ms != GROUP_NEVER)
        jsonw_integer(w, "notified", group->notified_ms);
    jsonw_unsigned(w, "forgotten", group->forgotten);
    jsonw_unsigned(w, "order", group->moment.order);
    end_line(w);
}

static void write_channels(const struct core *core, uint32_t channels, const char *key,
                           struct jsonw *w)
{
    jsonw_array_begin(w, key);
    for (size_t i = 0; i < core->settings->n_channels; i++)
        if (channels >> i & 1)
            jsonw_text(w, NULL, core->settings->channels[i].name);
    jsonw_array_end(w);
}

static void write_members(const struct core *core, const struct record *record, struct jsonw *w)
{
    jsonw_array_begin(w, "members");
    for (const struct member *m = record->members; m; m = m->next_of_record) {
        jsonw_object_begin(w, NULL);
        jsonw_unsigned(w, "group", m->group->number);
        jsonw_unsigned(w, "told", m->told);
        jsonw_unsigned(w, "step", m->step);
        jsonw_text(w, "severity", alert_severity_name(m->severity));
        jsonw_bool(w, "moved", m->moved);
        write_channels(core, m->owed, "owed", w);
        jsonw_integer(w, "first", m->first_told_ms);
        jsonw_integer(w, "last", m->told_ms);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

static void write_flap(const struct flap *flap, struct jsonw *w)
{
    if (flap->n == 0)
        return;
    jsonw_bool(w, "flapping", flap->on);
    jsonw_array_begin(w, "changes");
    for (size_t i = 0; i < flap->n; i++)
        jsonw_integer(w, NULL, flap->at_ms[i]);
    jsonw_array_end(w);
}

static void write_record(const struct core *core, const struct record *record, struct jsonw *w)
{
    begin_line(w, "alert");
    jsonw_text(w, "location", record->topic.location);
    jsonw_text(w, "device", record->topic.device);
    jsonw_text(w, "rule", record->topic.name);
    jsonw_text(w, "state", alert_state_name(record->state));
    jsonw_text(w, "severity", alert_severity_name(record->severity));
    jsonw_unsigned(w, "episode", record->episode);
    jsonw_integer(w, "since", record->since_ms);
    if (record->over_ms != BOOK_NEVER)
        jsonw_integer(w, "over", record->over_ms);
    jsonw_bool(w, "removed", record->removed);
    jsonw_bool(w, "lost", record->lost);
    jsonw_text(w, "message", record->message);
    jsonw_value(w, "value", &record->value);
    jsonw_bool(w, "acknowledged", record->acknowledged);
    jsonw_text(w, "by", record->by);
    jsonw_text(w, "comment", record->comment);
    write_flap(&record->flap, w);
    write_members(core, record, w);
    end_line(w);
}

static void write_silence(const struct silence *silence, struct jsonw *w)
{
    begin_line(w, "silence");
    silence_write(silence, w);
    end_line(w);
}

static void write_limit(const struct limit *limit, const char *channel, struct jsonw *w)
{
    begin_line(w, "limit");
    jsonw_text(w, "channel", channel);
    jsonw_array_begin(w, "sent");
    for (size_t i = 0; i < limit->n; i++)
        jsonw_integer(w, NULL, limit->sent_ms[(limit->first + i) % limit->max]);
    jsonw_array_end(w);
    if (limit->held)
        notification_write(limit->held, w, "held");
    end_line(w);
}

static void write_head(const struct core *core, struct jsonw *w)
{
    begin_line(w, "memory");
    jsonw_integer(w, "version", MEMORY_VERSION);
    jsonw_integer(w, "time", core->time_ms);
    jsonw_unsigned(w, "serial", core->serial);
    end_line(w);
}

void memory_begin(struct memory_writer *writer, struct core *core)
{
    struct jsonw *w = &writer->w;
    struct numbering numbering = {.w = w};

    *writer = (struct memory_writer){0};
    writer->w = jsonw_start(&writer->text);
    write_head(core, w);
    groups_each(&core->groups, write_group, &numbering);
    for (int resolved = 0; resolved < 2; resolved++)
        for (const struct record *r = book_first(core->book, resolved); r; r = r->next)
            write_record(core, r, w);
    for (size_t i = 0; i < core->silences.n; i++)
        if (!core->silences.list[i].configured)
            write_silence(&core->silences.list[i], w);
    for (size_t i = 0; i < core->settings->n_channels; i++)
        if (core->channels[i].limit.n > 0 || core->channels[i].limit.held)
            write_limit(&core->channels[i].limit, core->settings->channels[i].name, w);
}

void memory_add(struct memory_writer *writer, const char *channel,
                const struct notification *notification)
{
    begin_line(&writer->w, "pending");
    jsonw_text(&writer->w, "channel", channel);
    notification_write(notification, &writer->w, "notification");
    end_line(&writer->w);
}

static void memory_end(struct memory_writer *writer)
{
    uint32_t sum = crc32c(0, buffer_string(&writer->text), writer->text.size);

    begin_line(&writer->w, "end");
    jsonw_unsigned(&writer->w, "crc", sum);
    end_line(&writer->w);
}

int memory_save(struct memory_writer *writer, const char *path)
{
    int rc = -ENOMEM;

    memory_end(writer);
    if (!writer->text.failed)
        rc = file_replace(path, &writer->text, 0600);
    buffer_free(&writer->text);
    return rc;
}
