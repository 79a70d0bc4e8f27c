#include "live.h"
#include "announce.h"
#include "clock.h"
#include "dead_letter.h"
#include "dispatch.h"
#include "live_health.h"
#include "log.h"
#include "memory.h"
#include "window_memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WINDOWS_EVERY_MS 60000
#define KEEP_EVERY_MS 1000
#define SLICE_EVERY_MS 10
#define TIMER_MAX_MS 1000 /* the wall clock may be set meanwhile: look again */

struct live {
    struct mqtt *mqtt;
    struct loop *loop;
    struct engine *engine;
    struct announcer announcer;
    struct memory *memory;    /* NULL where there is no state directory */
    struct settings settings; /* with the shard; all else is borrowed from the service's */
    struct loop_timer *timer;
    struct loop_timer *windows_timer;
    struct loop_timer *keep_timer;
    int64_t kept_ms; /* monotonic: when the memory was last told of what may wait */
    bool listening;
    const char *state_dir; /* borrowed; empty where there is none */
    struct live_health *health;
    struct log_limit bad_payload;
    struct log_limit failed_result;
    struct log_limit lost_memory;
    struct log_limit missing;
};

static void check_memory(struct live *live, int error, const char *rule)
{
    if (error >= 0)
        return;
    live_health_raise(live->health, LIVE_MEMORY_LOST);
    if (log_allowed(&live->lost_memory, loop_now(live->loop)))
        log_error("memory_not_written", "rule=%s reason=\"%s\" suppressed=%" PRIu64, rule,
                  strerror(-error), live->lost_memory.suppressed);
}

static void on_memory(void *self, const struct engine_memory *change)
{
    struct announcer *announcer = self;
    struct live *live = announcer->self;
    if (live->memory)
        check_memory(live, memory_add(live->memory, change), change->rule);
}

/* While nobody can be heard the file does not say that somebody was there. */
static void keep(struct live *live)
{
    live->kept_ms = loop_now(live->loop);
    engine_keep(live->engine);
    if (live->memory && live->listening)
        check_memory(live, memory_alive(live->memory, clock_time_ms()), "-");
}

static void on_keep_time(void *self)
{
    struct live *live = self;
    int more = live->memory ? memory_tick(live->memory) : 0;
    check_memory(live, more, "-");
    if (loop_now(live->loop) - live->kept_ms >= KEEP_EVERY_MS)
        keep(live);
    loop_timer_set(live->keep_timer,
                   loop_now(live->loop) + (more > 0 ? SLICE_EVERY_MS : KEEP_EVERY_MS));
}

static void on_missing(void *self, const struct engine_place *place, const char *measurement,
                       uint64_t missing)
{
    struct announcer *announcer = self;
    struct live *live = announcer->self;
    if (log_allowed(&live->missing, loop_now(live->loop)))
        log_warning("readings_missing",
                    "location=%s device=%s measurement=%s missing=%" PRIu64 " suppressed=%" PRIu64,
                    place->location, place->device, measurement, missing, live->missing.suppressed);
}

static void publish(void *self, const struct announcement *announcement)
{
    struct live *live = self;
    struct mqtt_message message = {
        .topic = announcement->topic,
        .payload = announcement->payload,
        .size = announcement->size,
        .qos = 1,
        .retained = announcement->retained,
        .expiry_s = (uint32_t)((announcement->ttl_ms + 999) / 1000),
    };
    if (mqtt_publish(live->mqtt, &message) < 0)
        live_health_raise(live->health, LIVE_NOT_PUBLISHED);
}

static void set_timer(struct live *live)
{
    int64_t at_ms = engine_next_ms(live->engine);
    if (at_ms == RULE_NEVER) {
        loop_timer_cancel(live->timer);
        return;
    }
    int64_t wait_ms = at_ms - clock_time_ms();
    if (wait_ms > TIMER_MAX_MS)
        wait_ms = TIMER_MAX_MS;
    loop_timer_set(live->timer, loop_now(live->loop) + (wait_ms > 0 ? wait_ms : 0));
}

static void on_time(void *self)
{
    struct live *live = self;
    engine_tick(live->engine, clock_time_ms());
    set_timer(live);
}

static void bury(struct live *live, const struct mqtt_message *message, const char *reason)
{
    live_health_raise(live->health, LIVE_BAD_PAYLOAD);
    if (log_allowed(&live->bad_payload, loop_now(live->loop)))
        log_warning("bad_payload", "topic=%s reason=\"%s\" suppressed=%" PRIu64, message->topic,
                    reason, live->bad_payload.suppressed);
    if (dead_letter_publish(live->mqtt, "rules-engine", message, "bad_payload", reason) < 0)
        live_health_raise(live->health, LIVE_NOT_PUBLISHED);
}

static void on_input(void *self, const struct mqtt_message *message)
{
    struct live *live = self;
    char error[DISPATCH_ERROR_SIZE];
    struct dispatch_message in = {
        .payload = message->payload,
        .size = message->size,
        .retained = message->retained,
    };
    if (topic_parse(&in.topic, mqtt_root(live->mqtt), message->topic) < 0)
        return; /* a level that is no name: none of the suite's devices */
    int status = dispatch(live->engine, &in, clock_time_ms(), error);
    if (status == -EBADMSG)
        bury(live, message, error);
    set_timer(live);
}

/* What came of a command of ours: counted, and logged where it is not ok. */
static int take_result(void *self, const struct command_result *result)
{
    struct live *live = self;
    if (!engine_result(live->engine, result->id, result->outcome, result->reason, clock_time_ms()))
        return 0;
    bool ok = result->outcome == COMMAND_OK;
    live_health_raise(live->health, ok ? LIVE_RESULT_OK : LIVE_RESULT_FAILED);
    if (!ok && log_allowed(&live->failed_result, loop_now(live->loop)))
        log_warning("command_failed", "id=%s result=%s reason=%s source=%s suppressed=%" PRIu64,
                    result->id, command_outcome_name(result->outcome),
                    result->reason ? result->reason : "-", result->source ? result->source : "-",
                    live->failed_result.suppressed);
    return 0;
}

static void on_result(void *self, const struct mqtt_message *message)
{
    struct live *live = self;
    char error[DISPATCH_ERROR_SIZE];
    if (command_result_decode(message->payload, message->size, take_result, live, error,
                              sizeof(error)) == -EBADMSG)
        bury(live, message, error);
    set_timer(live);
}

static int subscribe(struct live *live, enum topic_kind kind, const char *name, unsigned flags,
                     mqtt_message_fn *on_message)
{
    char filter[TOPIC_SIZE];
    int error = topic_make(filter, mqtt_root(live->mqtt), kind, "+", "+", name);
    return error ? error : mqtt_subscribe(live->mqtt, filter, flags, on_message, live);
}

struct measurement_list {
    struct live *live;
    const char **names;
    size_t n;
};

static int subscribe_measurement(struct measurement_list *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->names[i], name) == 0)
            return 0;
    const char **names = realloc(list->names, (list->n + 1) * sizeof(*names));
    if (!names)
        return -ENOMEM;
    list->names = names;
    list->names[list->n++] = name;
    return subscribe(list->live, TOPIC_TELEMETRY, name, MQTT_AT_MOST_ONCE, on_input);
}

static int subscribe_scope(struct measurement_list *list, const struct scope *scope)
{
    int error = subscribe_measurement(list, scope->measurement);
    for (size_t i = 0; i < scope->references.n && !error; i++)
        if (scope->references.items[i].measurement[0])
            error = subscribe_measurement(list, scope->references.items[i].measurement);
    return error;
}

/* Alerts come first, so that the past is known before the present arrives. Of the telemetry only
 * what some rule reads. */
static int subscribe_all(struct live *live, const struct settings *settings)
{
    struct measurement_list list = {.live = live};
    int error = subscribe(live, TOPIC_ALERT, "+", 0, on_input);
    if (!error)
        error = subscribe(live, TOPIC_STATUS, NULL, 0, on_input);
    if (!error && settings_await(settings))
        error = subscribe(live, TOPIC_META, NULL, 0, on_input);
    if (!error)
        error = subscribe(live, TOPIC_RESULT, "+", 0, on_result);
    for (size_t i = 0; i < settings->n_derived && !error; i++)
        error = subscribe_scope(&list, &settings->derived[i].scope);
    for (size_t i = 0; i < settings->n_rules && !error; i++)
        error = subscribe_scope(&list, &settings->rules[i].scope);
    free(list.names);
    return error;
}

static void write_windows(struct live *live)
{
    if (live->state_dir[0] == '\0')
        return;
    int error = window_memory_write(live->state_dir, engine_picture(live->engine));
    if (error == 0)
        return;
    live_health_raise(live->health, LIVE_MEMORY_LOST);
    if (log_allowed(&live->lost_memory, loop_now(live->loop)))
        log_error("windows_not_written", "reason=\"%s\" suppressed=%" PRIu64, strerror(-error),
                  live->lost_memory.suppressed);
}

static void on_windows_time(void *self)
{
    struct live *live = self;
    write_windows(live);
    loop_timer_set(live->windows_timer, loop_now(live->loop) + WINDOWS_EVERY_MS);
}

static int open_memory(struct live *live)
{
    if (live->state_dir[0] == '\0') {
        log_warning("no_state_dir", "what_to_do=\"set service.state_dir: without it a restart "
                                    "forgets which rules without an alert were active\"");
        return 0;
    }
    int error = window_memory_read(live->state_dir, engine_picture(live->engine));
    if (!error)
        error = memory_open(&live->memory, live->state_dir, live->engine, clock_time_ms());
    uint64_t damaged = error ? 0 : memory_damaged(live->memory);
    if (damaged > 0)
        log_error("memory_damaged",
                  "file=%s/rules.memory lines=%" PRIu64 " kept_as=rules.memory.damaged "
                  "what_to_do=\"nothing: retained alerts and the next readings make up for what is "
                  "missing; commands that were to be taken back may not be: see what is on\"",
                  live->state_dir, damaged);
    return error;
}

static int open_parts(struct live *live, struct service *service, const struct settings *settings)
{
    static const struct engine_handlers handlers = {
        .on_memory = on_memory,
        .on_command = announce_command,
        .on_alert = announce_alert,
        .on_reading = announce_reading,
        .on_missing = on_missing,
    };
    int error = engine_open(&live->engine, settings, &handlers, &live->announcer);
    if (!error)
        error = open_memory(live);
    if (!error)
        error = loop_timer_open(&live->timer, live->loop, on_time, live);
    if (!error)
        error = loop_timer_open(&live->windows_timer, live->loop, on_windows_time, live);
    if (!error)
        error = loop_timer_open(&live->keep_timer, live->loop, on_keep_time, live);
    if (!error)
        error = live_health_open(&live->health, service_health(service), live->engine,
                                 &live->announcer);
    for (uint64_t i = 0; !error && live->memory && i < memory_damaged(live->memory); i++)
        live_health_raise(live->health, LIVE_MEMORY_DAMAGED);
    return error ? error : subscribe_all(live, settings);
}

static int choose_shard(struct live *live, const char *text)
{
    int error = text ? shard_parse(&live->settings.shard, text) : 0;
    if (error)
        log_error("bad_shard", "shard=%s what_to_do=\"give --shard 1/3 for the first of three\"",
                  text);
    return error;
}

int live_start(void **self, struct service *service, const void *settings)
{
    struct live *live = calloc(1, sizeof(*live));
    if (!live)
        return -ENOMEM;
    live->mqtt = service_mqtt(service);
    live->loop = service_loop(service);
    live->state_dir = service_state_dir(service);
    live->bad_payload = live->failed_result = live->lost_memory = live->missing =
        (struct log_limit){.every_ms = 1000};
    live->announcer = (struct announcer){
        .root = service_root(service),
        .publish = publish,
        .self = live,
    };
    live->settings = *(const struct settings *)settings;
    int error = choose_shard(live, service_flag(service, "shard"));
    if (!error)
        error = open_parts(live, service, &live->settings);
    if (error) {
        live_close(live);
        return error;
    }
    set_timer(live);
    loop_timer_set(live->windows_timer, loop_now(live->loop) + WINDOWS_EVERY_MS);
    loop_timer_set(live->keep_timer, loop_now(live->loop) + KEEP_EVERY_MS);
    *self = live;
    return 0;
}

void live_on_link(void *self, bool up)
{
    struct live *live = self;
    live->listening = up;
    engine_listen(live->engine, up, clock_time_ms());
    set_timer(live);
}

void live_close(void *self)
{
    struct live *live = self;
    if (live->health) { /* all was opened */
        write_windows(live);
        keep(live);
    }
    loop_timer_close(live->timer);
    loop_timer_close(live->windows_timer);
    loop_timer_close(live->keep_timer);
    live_health_close(live->health);
    memory_close(live->memory);
    engine_close(live->engine);
    announcer_free(&live->announcer);
    free(live);
}
