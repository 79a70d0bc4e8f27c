#include "replay.h"
#include "announce.h"
#include "dispatch.h"
#include "jsonw.h"

#include <errno.h>
#include <stdio.h>

struct replay {
    struct engine *engine;
    struct announcer announcer;
    struct buffer *out;
    int64_t time_ms;
};

static void on_memory(void *self, const struct engine_memory *memory)
{
    (void)self;
    (void)memory;
}

static void print_decision(void *self, const struct announcement *announcement)
{
    struct replay *replay = self;
    struct jsonw w = jsonw_start(replay->out);
    jsonw_object_begin(&w, NULL);
    jsonw_integer(&w, "t", replay->time_ms);
    jsonw_text(&w, "by", announcement->name);
    jsonw_text(&w, "topic", announcement->topic);
    buffer_text(replay->out, ",\"payload\":");
    buffer_append(replay->out, announcement->payload, announcement->size);
    jsonw_object_end(&w);
    buffer_char(replay->out, '\n');
}

/* Everything that time alone decides up to `time_ms`, each at its own moment. */
static void advance(struct replay *replay, int64_t time_ms)
{
    if (replay->time_ms == 0)
        engine_listen(replay->engine, true, time_ms);
    for (int64_t at_ms; (at_ms = engine_next_ms(replay->engine)) <= time_ms;) {
        if (at_ms > replay->time_ms)
            replay->time_ms = at_ms;
        engine_tick(replay->engine, replay->time_ms);
    }
    replay->time_ms = time_ms;
}

static int on_message(void *self, const struct capture_message *in, char *error, size_t error_size)
{
    struct replay *replay = self;
    char why[DISPATCH_ERROR_SIZE] = "";
    struct dispatch_message message = {
        .payload = in->payload,
        .size = in->size,
        .retained = in->retained,
    };
    advance(replay, in->time_ms);
    if (!in->topic || topic_parse(&message.topic, replay->announcer.root, in->topic) < 0)
        return 0;
    int status = dispatch(replay->engine, &message, replay->time_ms, why);
    if (status == -EBADMSG)
        snprintf(error, error_size, "%s", why);
    return status;
}

int replay_run(const void *self, const struct capture *capture, struct buffer *out)
{
    const struct settings *settings = self;
    static const struct engine_handlers handlers = {
        .on_memory = on_memory,
        .on_command = announce_command,
        .on_alert = announce_alert,
        .on_reading = announce_reading,
    };
    struct replay replay = {.out = out};
    replay.announcer = (struct announcer){
        .root = settings->root,
        .publish = print_decision,
        .self = &replay,
    };
    int status = engine_open(&replay.engine, settings, &handlers, &replay.announcer);
    if (!status)
        engine_unheard(replay.engine);
    if (!status)
        status = capture_run(capture, on_message, &replay);
    if (!status && (out->failed || replay.announcer.n_failed > 0))
        status = -ENOMEM;
    announcer_free(&replay.announcer);
    engine_close(replay.engine);
    return status;
}
