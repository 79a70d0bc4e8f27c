#include "replay.h"
#include "announce.h"
#include "capture.h"
#include "capture_line.h"
#include "dispatch.h"
#include "jsonr.h"
#include "jsonw.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct replay {
    struct engine *engine;
    struct announcer announcer;
    struct buffer *out;
    struct buffer payload; /* of the line */
    int64_t time_ms;
    const char *name; /* of the capture */
    size_t line;
    FILE *errors;
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

static int bad_line(const struct replay *replay, const char *what)
{
    fprintf(replay->errors, "%s:%zu: %s\n", replay->name, replay->line, what);
    return -EBADMSG;
}

/* A payload that the engine cannot use is what a broker might bring: told, and the replay goes on.
 */
static int deliver(struct replay *replay, const char *topic, bool retained)
{
    char error[DISPATCH_ERROR_SIZE];
    struct dispatch_message message = {
        .payload = buffer_string(&replay->payload),
        .size = replay->payload.size,
        .retained = retained,
    };
    if (topic_parse(&message.topic, replay->announcer.root, topic) < 0)
        return 0;
    int status = dispatch(replay->engine, &message, replay->time_ms, error);
    if (status != -EBADMSG)
        return status;
    bad_line(replay, error);
    return 0;
}

static int play_object(struct replay *replay, const struct jsonr *in)
{
    int64_t time_ms = 0;
    const char *topic = NULL;
    struct value retained = value_bool(false);
    int status = jsonr_integer(in, "t", JSONR_REQUIRED, &time_ms);
    if (!status)
        status = jsonr_text(in, "topic", JSONR_REQUIRED, &topic);
    if (!status)
        status = jsonr_value(in, "retained", JSONR_OPTIONAL, &retained);
    if (!status)
        status = capture_payload(in, &replay->payload);
    if (status)
        return status == -EBADMSG ? bad_line(replay, in->error) : status;
    if (retained.type != VALUE_BOOL)
        return bad_line(replay, "retained: expected true or false");
    if (time_ms < replay->time_ms)
        return bad_line(replay, "t: is before the line above");
    advance(replay, time_ms);
    return deliver(replay, topic, retained.boolean);
}

/* Telemetry, which is nearly all there is, without a tree of the whole line. False where the line
 * is not that plain or not good: nothing was used, and play_object() will tell. */
static bool play_plain(struct replay *replay, const char *line, size_t size, int *status)
{
    struct capture_line in;
    struct dispatch_message message;
    char error[DISPATCH_ERROR_SIZE];
    if (!capture_line_split(&in, line, size) || in.time_ms < replay->time_ms ||
        topic_parse(&message.topic, replay->announcer.root, in.topic) < 0 ||
        message.topic.kind != TOPIC_TELEMETRY)
        return false;
    message.payload = in.payload;
    message.size = in.size;
    message.retained = in.retained;
    advance(replay, in.time_ms);
    *status = in.size ? dispatch(replay->engine, &message, replay->time_ms, error) : -EBADMSG;
    return *status != -EBADMSG;
}

static int play_line(struct replay *replay, const char *line, size_t size)
{
    char error[DISPATCH_ERROR_SIZE];
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof(error)};
    int status = 0;
    replay->line++;
    if (play_plain(replay, line, size, &status) || strspn(line, " \t\r\n") == size)
        return status;
    status = jsonr_parse_object(&in, line, size);
    if (status)
        return status == -EBADMSG ? bad_line(replay, error) : status;
    status = play_object(replay, &in);
    jsonr_free(in.object);
    return status;
}

int replay_run(const struct settings *settings, FILE *capture, const char *name, FILE *errors,
               struct buffer *out)
{
    static const struct engine_handlers handlers = {
        .on_memory = on_memory,
        .on_command = announce_command,
        .on_alert = announce_alert,
        .on_reading = announce_reading,
    };
    struct replay replay = {.out = out, .name = name, .errors = errors};
    replay.announcer = (struct announcer){
        .root = settings->root,
        .publish = print_decision,
        .self = &replay,
    };
    int status = engine_open(&replay.engine, settings, &handlers, &replay.announcer);
    if (!status)
        engine_unheard(replay.engine);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    while (!status && (size = getline(&line, &capacity, capture)) >= 0)
        status = play_line(&replay, line, (size_t)size);
    if (!status && ferror(capture))
        status = -EIO;
    if (!status && (out->failed || replay.announcer.n_failed > 0))
        status = -ENOMEM;
    free(line);
    buffer_free(&replay.payload);
    announcer_free(&replay.announcer);
    engine_close(replay.engine);
    return status;
}
