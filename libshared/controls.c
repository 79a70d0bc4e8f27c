#include "clock.h"
#include "controls_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_EVERY_MS 10000

void controls_count(struct controls *controls, const char *outcome, const char *reason)
{
    char name[96];

    snprintf(name, sizeof name, "commands.%s%s%s", outcome, reason ? "." : "",
             reason ? reason : "");
    health_raise(health_count(controls->health, name), 1);
}

static void publish(struct controls *controls, enum topic_kind kind, const char *actuator)
{
    char topic[TOPIC_SIZE];
    struct mqtt_message message = {.topic = topic,
                                   .payload = buffer_string(&controls->text),
                                   .size = controls->text.size,
                                   .qos = 1,
                                   .retained = kind == TOPIC_STATE};

    if (topic_make(topic, mqtt_root(controls->mqtt), kind, device_location(controls->device),
                   device_name(controls->device), actuator) == 0)
        mqtt_publish(controls->mqtt, &message);
}

/* A response topic that is one of the suite's own is refused: it would let a stranger make the
 * agent speak there in its name, down to sending commands. */
static void respond(struct controls *controls, const char *topic, const void *correlation,
                    size_t correlation_size)
{
    struct mqtt_message message = {.topic = topic,
                                   .payload = controls->text.data,
                                   .size = controls->text.size,
                                   .qos = 1,
                                   .correlation = correlation,
                                   .correlation_size = correlation_size};

    if (!topic_is_reply(mqtt_root(controls->mqtt), topic) ||
        mqtt_publish(controls->mqtt, &message) != 0)
        controls_count(controls, "unanswered", "response_topic");
}

static void on_result(void *self, const struct actuator *actuator,
                      const struct command_result *result, const char *response_topic,
                      const void *correlation, size_t correlation_size)
{
    struct controls *controls = self;
    const char *name = actuator_settings(actuator)->name;

    controls_count(controls, command_outcome_name(result->outcome), result->reason);
    if (result->outcome != COMMAND_OK && log_allowed(&controls->refused, clock_now_ms()))
        log_warning("command", "device=%s actuator=%s result=%s reason=%s suppressed=%llu",
                    device_name(controls->device), name, command_outcome_name(result->outcome),
                    result->reason ? result->reason : "-",
                    (unsigned long long)controls->refused.suppressed);
    buffer_clear(&controls->text);
    if (command_result_encode(result, &controls->text) != 0) {
        controls_count(controls, "unanswered", "memory");
        return;
    }
    publish(controls, TOPIC_RESULT, name);
    if (response_topic)
        respond(controls, response_topic, correlation, correlation_size);
}

static void on_state(void *self, const struct actuator *actuator, const struct command_state *state)
{
    struct controls *controls = self;

    buffer_clear(&controls->text);
    if (command_state_encode(state, &controls->text) == 0)
        publish(controls, TOPIC_STATE, actuator_settings(actuator)->name);
}

struct control *controls_find(struct controls *controls, const char *name)
{
    for (size_t i = 0; i < controls->n_controls; i++)
        if (strcmp(actuator_settings(controls->controls[i].actuator)->name, name) == 0)
            return &controls->controls[i];
    return NULL;
}

static const struct actuator_handlers handlers = {.on_result = on_result,
                                                  .on_state = on_state,
                                                  .forbid = controls_forbid,
                                                  .on_record = controls_on_record,
                                                  .on_history = controls_on_history};

static void offer(struct controls *controls, struct control *control,
                  const struct actuator_request *request)
{
    if (!actuator_waiting(control->actuator))
        control->turn = ++controls->turns;
    actuator_offer(control->actuator, request,
                   controls_device_is_there(controls) && !controls->leaving, clock_now_ms(),
                   clock_time_ms());
    if (actuator_waiting(control->actuator))
        controls->on_waiting(controls->self);
}

/* A retained command was refused and answered; now it is taken out of the broker, so that nobody
 * else acts on it later. What comes back of this is empty, and ends there. */
static void clear(struct controls *controls, const char *topic)
{
    struct mqtt_message empty = {.topic = topic, .payload = "", .qos = 1, .retained = true};

    if (mqtt_publish(controls->mqtt, &empty) == 0)
        controls_count(controls, "clearing", NULL);
}

static void on_message(void *self, const struct mqtt_message *message)
{
    struct controls *controls = self;
    struct control *control;
    struct topic topic;
    struct actuator_request request = {.payload = message->payload,
                                       .size = message->size,
                                       .retained = message->retained,
                                       .expiry_s = message->expiry_s,
                                       .response_topic = message->response_topic,
                                       .correlation = message->correlation,
                                       .correlation_size = message->correlation_size};

    controls_count(controls, "received", NULL);
    controls->command_ms = clock_now_ms();
    if (topic_parse(&topic, mqtt_root(controls->mqtt), message->topic) != 0 ||
        topic_name_reserved(topic.name)) {
        controls_count(controls, "dropped", "bad_topic");
        return;
    }
    if (message->retained && message->size == 0) { /* somebody, or clear(), clears one */
        controls_count(controls, "cleared", NULL);
        return;
    }
    control = controls_find(controls, topic.name);
    if (control)
        offer(controls, control, &request);
    else
        actuator_reject_unknown(topic.name, &request, clock_time_ms(), &handlers, controls);
    if (message->retained)
        clear(controls, message->topic);
}

static int subscribe(struct controls *controls)
{
    char filter[TOPIC_SIZE];
    int error = topic_make(filter, mqtt_root(controls->mqtt), TOPIC_COMMAND,
                           device_location(controls->device), device_name(controls->device), "+");

    return error ? error : mqtt_subscribe(controls->mqtt, filter, MQTT_LIVE, on_message, controls);
}

/* Opens the actuators up to the first that cannot be; `n_controls` counts those that are. */
static int open_actuators(struct controls *controls, const struct controls_options *options)
{
    int error = 0;

    while (controls->n_controls < options->n_settings && error == 0) {
        const struct actuator_settings *settings = &options->settings[controls->n_controls];
        struct control *control = &controls->controls[controls->n_controls];

        error = actuator_open(&control->actuator, settings, &handlers, controls, clock_now_ms());
        if (error)
            return error;
        controls->n_controls++;
        error = controls_watch(controls, control);
    }
    return error;
}

int controls_open(struct controls **out, const struct controls_options *options,
                  controls_fn *on_waiting, void *self)
{
    struct controls *controls =
        calloc(1, sizeof *controls + options->n_settings * sizeof controls->controls[0]);
    int error;

    if (!controls)
        return -ENOMEM;
    controls->mqtt = options->mqtt;
    controls->health = options->health;
    controls->device = options->device;
    controls->on_waiting = on_waiting;
    controls->self = self;
    controls->refused.every_ms = LOG_EVERY_MS;
    controls->broker_ms = controls->command_ms = clock_now_ms();
    controls->on_feed = options->on_feed;
    if (options->n_settings > 0 || (options->watchdog && options->watchdog->period_ms > 0))
        device_keep_latest(options->device);
    error = open_actuators(controls, options);
    if (error == 0)
        error = controls_watch_device(controls, options->watchdog);
    if (error == 0)
        error = subscribe(controls);
    if (error == 0)
        controls_remember(controls, options->state_dir);
    if (error == 0)
        error = controls_watch_start(controls);
    if (error != 0) {
        controls_close(controls);
        return error;
    }
    *out = controls;
    return 0;
}

void controls_close(struct controls *controls)
{
    if (!controls)
        return;
    mqtt_unsubscribe(controls->mqtt, controls);
    controls_watch_stop(controls);
    for (size_t i = 0; i < controls->n_controls; i++)
        actuator_close(controls->controls[i].actuator);
    controls_forget(controls);
    buffer_free(&controls->text);
    free(controls);
}

static struct control *oldest_waiting(struct controls *controls)
{
    struct control *oldest = NULL;

    for (size_t i = 0; i < controls->n_controls; i++) {
        struct control *control = &controls->controls[i];

        if (actuator_waiting(control->actuator) && (!oldest || control->turn < oldest->turn))
            oldest = control;
    }
    return oldest;
}

int controls_next(struct controls *controls, const struct value **out)
{
    struct control *control;

    while ((control = oldest_waiting(controls)) != NULL) {
        *out = actuator_next(control->actuator, clock_now_ms(), clock_time_ms());
        if (*out)
            return (int)(control - controls->controls);
    }
    return -1;
}

int64_t controls_expiry_ms(const struct controls *controls, int index)
{
    return actuator_expiry_ms(controls->controls[index].actuator);
}

void controls_explain(struct controls *controls, int index, const char *message)
{
    actuator_explain(controls->controls[index].actuator, message);
}

void controls_done(struct controls *controls, int index, enum command_outcome outcome,
                   const char *reason, struct value held)
{
    actuator_done(controls->controls[index].actuator, outcome, reason, held, clock_now_ms(),
                  clock_time_ms());
}

void controls_observe(struct controls *controls, int index, struct value held)
{
    actuator_observe(controls->controls[index].actuator, held, clock_now_ms(), clock_time_ms());
}

void controls_offline(struct controls *controls)
{
    for (size_t i = 0; i < controls->n_controls; i++)
        actuator_offline(controls->controls[i].actuator, clock_now_ms(), clock_time_ms());
}

static bool is_among(const char *name, const struct actuator_settings *settings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(settings[i].name, name) == 0)
            return true;
    return false;
}

void controls_part(struct controls *controls, const struct actuator_settings *stay, size_t n_stay)
{
    controls_offline(controls);
    buffer_clear(&controls->text);
    for (size_t i = 0; i < controls->n_controls; i++) {
        const char *name = actuator_settings(controls->controls[i].actuator)->name;

        if (!is_among(name, stay, n_stay))
            publish(controls, TOPIC_STATE, name);
    }
}

void controls_announce(struct controls *controls)
{
    for (size_t i = 0; i < controls->n_controls; i++)
        actuator_announce(controls->controls[i].actuator);
}
