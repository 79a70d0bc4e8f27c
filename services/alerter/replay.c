#include "replay.h"

#include "hear.h"
#include "jsonw.h"
#include "notification_text.h"

#include <errno.h>
#include <stdio.h>

static void print_notification(void *self, size_t channel, struct notification *n)
{
    const struct replay_printer *printer = self;
    struct buffer text = {0};
    struct jsonw w = jsonw_start(printer->out);

    n->zone = printer->settings->channels[channel].zone;
    notification_text(n, &text);
    jsonw_object_begin(&w, NULL);
    jsonw_integer(&w, "t", n->created_ms);
    jsonw_text(&w, "channel", printer->settings->channels[channel].name);
    jsonw_text(&w, "id", n->id);
    jsonw_text(&w, "kind", notification_kind_name(n->kind));
    jsonw_text(&w, "severity", alert_severity_name(n->severity));
    jsonw_text(&w, "text", buffer_string(&text));
    jsonw_object_end(&w);
    buffer_char(printer->out, '\n');
    if (text.failed)
        printer->out->failed = true;
    buffer_free(&text);
    notification_close(n);
}

const struct core_handlers replay_handlers = {print_notification};

/* Everything that time alone decides up to `time_ms`, each at its own moment. */
static void advance(struct core *core, int64_t time_ms)
{
    while (core_next_ms(core) < time_ms)
        core_tick(core, core_next_ms(core));
    core_tick(core, time_ms);
}

int replay_hear(struct core *core, const char *root, const struct capture_message *message,
                char *error, size_t error_size)
{
    struct hear_message heard = {
        .payload = message->payload, .size = message->size, .retained = message->retained};
    char why[HEAR_ERROR_SIZE];
    int rc;

    advance(core, message->time_ms);
    if (!message->topic || topic_parse(&heard.topic, root, message->topic) < 0)
        return 0;
    rc = hear(core, &heard, message->time_ms, why);
    if (rc == 0 || rc == -ENOMEM)
        return rc;
    snprintf(error, error_size, "%s", why);
    return -EBADMSG;
}

struct replay {
    struct core *core;
    const char *root;
};

static int on_message(void *self, const struct capture_message *message, char *error,
                      size_t error_size)
{
    struct replay *replay = self;

    return replay_hear(replay->core, replay->root, message, error, error_size);
}

int replay_run(const void *self, const struct capture *capture, struct buffer *out)
{
    const struct settings *settings = self;
    struct replay_printer printer = {settings, out};
    struct replay replay = {.root = settings->root};
    int rc = core_open(&replay.core, settings, &replay_handlers, &printer);
    if (rc == 0)
        rc = capture_run(capture, on_message, &replay);
    if (rc == 0 && out->failed)
        rc = -ENOMEM;
    core_close(replay.core);
    return rc;
}
