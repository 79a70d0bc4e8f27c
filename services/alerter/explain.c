#include "explain.h"

#include "config_units.h"
#include "core.h"
#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

struct explain {
    const struct settings *settings;
    struct core *core;
    struct buffer *out;
    struct topic topic; /* of the last alert */
    const struct record *record;
    int64_t time_ms;
};

static void drop_notification(void *self, size_t channel, struct notification *notification)
{
    (void)self;
    (void)channel;
    notification_close(notification);
}

static int on_message(void *self, const struct capture_message *message, char *error,
                      size_t error_size)
{
    struct explain *explain = self;
    struct topic topic;

    explain->time_ms = message->time_ms;
    if (message->topic && topic_parse(&topic, explain->settings->root, message->topic) == 0 &&
        topic.kind == TOPIC_ALERT)
        explain->topic = topic;
    return replay_hear(explain->core, explain->settings->root, message, error, error_size);
}

static void indent(struct buffer *out, unsigned depth)
{
    for (unsigned i = 0; i < depth; i++)
        buffer_text(out, "  ");
}

static void put_channels(const struct explain *explain, uint32_t channels)
{
    const char *between = "";

    if (!channels)
        buffer_text(explain->out, "no channel: it would not be told");
    for (size_t i = 0; i < explain->settings->n_channels; i++) {
        if (!(channels >> i & 1))
            continue;
        buffer_format(explain->out, "%s%s", between, explain->settings->channels[i].name);
        between = ", ";
    }
    buffer_char(explain->out, '\n');
}

static void put_duration(struct buffer *out, const char *before, int64_t ms)
{
    char text[CONFIG_UNITS_SIZE];

    config_format_duration(text, ms);
    buffer_format(out, "%s%s", before, text);
}

static void put_times(const struct route *route, struct buffer *out)
{
    static const char *const labels[] = {"location", "device", "rule", "severity"};

    buffer_text(out, "grouped by");
    for (unsigned i = 0; i < sizeof labels / sizeof *labels; i++)
        if (route->group_by >> i & 1)
            buffer_format(out, " %s", labels[i]);
    if (!route->group_by)
        buffer_text(out, " nothing");
    put_duration(out, ", told after ", route->wait_ms);
    put_duration(out, ", news at most each ", route->interval_ms);
    if (route->repeat_ms)
        put_duration(out, ", repeated each ", route->repeat_ms);
    buffer_char(out, '\n');
}

static void put_held(const struct explain *explain, const struct route *route)
{
    struct buffer why = {0};
    enum core_life held =
        core_would_hold(explain->core, route, explain->record, explain->time_ms, &why);

    if (held != CORE_FIRING)
        buffer_format(explain->out, "held now: %s (%s)\n", core_life_name(held),
                      buffer_string(&why));
    else
        buffer_text(explain->out, "not held now\n");
    buffer_free(&why);
}

static void put_taker(struct explain *explain, const struct route *route, unsigned depth)
{
    indent(explain->out, depth);
    put_channels(explain, route->channels);
    indent(explain->out, depth);
    put_times(route, explain->out);
    indent(explain->out, depth);
    put_held(explain, route);
    for (size_t i = 0; i < route->n_steps; i++) {
        indent(explain->out, depth);
        put_duration(explain->out, "not acknowledged after ", route->steps[i].after_ms);
        buffer_text(explain->out, ": ");
        put_channels(explain, route->steps[i].channels);
    }
}

static void on_visit(void *self, const struct route_visit *visit)
{
    struct explain *explain = self;

    indent(explain->out, visit->depth);
    buffer_format(explain->out, "%s: ", visit->route->name);
    if (visit->refused)
        buffer_format(explain->out, "no, the %s differs\n", visit->refused);
    else if (!visit->taken)
        buffer_text(explain->out, "yes, and on to its routes\n");
    else
        buffer_format(explain->out, "takes it%s, to\n",
                      visit->route->goes_on ? " and lets the next ones look too" : "");
    if (visit->taken)
        put_taker(explain, visit->route, visit->depth + 2);
}

static int explain_alert(struct explain *explain)
{
    struct buffer *out = explain->out;

    explain->record = core_find(explain->core, &explain->topic);
    if (!explain->record)
        return -ENOENT;
    buffer_format(out, "%s %s/%s %s at ", alert_severity_name(explain->record->severity),
                  explain->topic.location, explain->topic.device, explain->topic.name);
    zone_text(explain->settings->zones[0], explain->time_ms, out);
    buffer_char(out, '\n');
    route_walk(explain->settings->route, &explain->topic, explain->record->severity, on_visit,
               explain);
    return out->failed ? -ENOMEM : 0;
}

int explain_run(const struct settings *settings, const struct capture *capture, struct buffer *out)
{
    static const struct core_handlers handlers = {drop_notification};
    struct explain explain = {.settings = settings, .out = out};
    int rc = core_open(&explain.core, settings, &handlers, NULL);
    if (rc == 0)
        rc = capture_run(capture, on_message, &explain);
    if (rc == 0)
        rc = explain_alert(&explain);
    core_close(explain.core);
    return rc;
}
