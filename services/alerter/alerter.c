#include "alerter.h"

#include "clock.h"
#include "core.h"
#include "core_health.h"
#include "dead_letter.h"
#include "hear.h"
#include "keeper.h"
#include "log.h"
#include "outbound.h"
#include "settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_EVERY_MS 10000 /* what others can provoke without end */
#define CONFIRM_AGAIN_MS 1000
#define LOOK_EVERY_MS 60000 /* at the clock, which may be set */

struct alerter {
    const struct settings *settings;
    struct service *service;
    struct mqtt *mqtt;
    struct core *core;
    struct outbound *outbound;
    struct keeper *keeper;
    struct loop_timer *timer;
    struct loop_timer *confirm_timer;
    struct core_stats told; /* in health */
    bool cold;              /* nothing is remembered: what is retained is no news */
    struct log_limit bad_limit;
    health_counter *bad;
    health_counter *idle;
    health_counter *lost;
};

/* ---- in ---- */

static void alerter_on_notification(void *self, size_t channel, struct notification *notification)
{
    struct alerter *alerter = self;

    keeper_send(alerter->keeper, channel, notification);
}

/* Wakes up for what is next, and now and then: the wall clock is not the loop's. */
static void alerter_plan(struct alerter *alerter)
{
    int64_t wait_ms = core_next_ms(alerter->core) - clock_time_ms();

    if (wait_ms > LOOK_EVERY_MS)
        wait_ms = LOOK_EVERY_MS;
    loop_timer_set(alerter->timer,
                   loop_now(service_loop(alerter->service)) + (wait_ms > 0 ? wait_ms : 0));
}

static void alerter_on_time(void *self)
{
    struct alerter *alerter = self;

    if (core_next_ms(alerter->core) <= clock_time_ms())
        keeper_changed(alerter->keeper);
    core_tick(alerter->core, clock_time_ms());
    alerter_plan(alerter);
}

static void confirm_in(struct alerter *alerter, int64_t delay_ms)
{
    loop_timer_set(alerter->confirm_timer, loop_now(service_loop(alerter->service)) + delay_ms);
}

/* Where not even all that is retained was heard, nothing is told of what is missing. */
static void alerter_on_confirm_time(void *self)
{
    struct alerter *alerter = self;
    size_t n;

    if (!mqtt_is_heard(alerter->mqtt)) {
        confirm_in(alerter, CONFIRM_AGAIN_MS);
        return;
    }
    n = core_give_up(alerter->core, clock_time_ms());
    if (n > 0)
        log_warning("alerts_not_announced",
                    "n=%zu reason=\"active in memory, but neither retained nor announced since the "
                    "broker is there\" effect=\"told as stale\"",
                    n);
    keeper_changed(alerter->keeper);
    alerter_plan(alerter);
}

static void alerter_refuse(struct alerter *alerter, const struct mqtt_message *message,
                           const char *reason, const char *detail)
{
    health_raise(alerter->bad, 1);
    if (log_allowed(&alerter->bad_limit, loop_now(service_loop(alerter->service))))
        log_warning("message_refused", "topic=%s suppressed=%" PRIu64 " reason=\"%s\"",
                    message->topic, alerter->bad_limit.suppressed, detail);
    (void)dead_letter_publish(alerter->mqtt, "alerter", message, reason, detail);
}

static void alerter_hear(struct alerter *alerter, const struct mqtt_message *message,
                         const struct topic *topic)
{
    static const char *const words[TOPIC_N_KINDS] = {
        [TOPIC_ALERT] = "bad_alert", [TOPIC_ACK] = "bad_ack", [TOPIC_SILENCE] = "bad_silence"};
    const struct hear_message heard = {.topic = *topic,
                                       .payload = message->payload,
                                       .size = message->size,
                                       .retained = message->retained,
                                       .known = alerter->cold};
    int64_t time_ms = clock_time_ms();
    char error[HEAR_ERROR_SIZE];
    int rc;

    core_tick(alerter->core, time_ms);
    rc = hear(alerter->core, &heard, time_ms, error);
    if (rc == -ENOENT)
        health_raise(alerter->idle, 1);
    else if (rc == -ENOMEM)
        health_raise(alerter->lost, 1);
    else if (rc < 0)
        alerter_refuse(alerter, message, words[topic->kind], error);
    keeper_changed(alerter->keeper);
    alerter_plan(alerter);
}

static void alerter_on_message(void *self, const struct mqtt_message *message)
{
    struct alerter *alerter = self;
    struct topic topic;

    if (topic_parse(&topic, service_root(alerter->service), message->topic) < 0)
        alerter_refuse(alerter, message, "bad_topic",
                       "the topic's names are not of a-z, 0-9, _ and -");
    else
        alerter_hear(alerter, message, &topic);
}

/* ---- health ---- */

static void alerter_sample(void *self, struct health *health)
{
    struct alerter *alerter = self;

    core_health_sample(alerter->core, clock_time_ms(), &alerter->told, health);
}

/* ---- start and end ---- */

static void alerter_on_pending(void *self, const char *name, struct notification *notification)
{
    struct alerter *alerter = self;

    outbound_resume(alerter->outbound, name, notification);
}

static void alerter_on_change(void *self)
{
    struct alerter *alerter = self;

    keeper_changed(alerter->keeper);
}

static int open_core(struct alerter *alerter)
{
    static const struct core_handlers handlers = {alerter_on_notification};

    core_close(alerter->core);
    alerter->core = NULL;
    return core_open(&alerter->core, alerter->settings, &handlers, alerter);
}

static int open_keeper(struct alerter *alerter)
{
    const struct keeper_parts parts = {.loop = service_loop(alerter->service),
                                       .core = alerter->core,
                                       .channels = outbound_channels(alerter->outbound),
                                       .n_channels = alerter->settings->n_channels,
                                       .health = service_health(alerter->service)};

    keeper_close(alerter->keeper);
    alerter->keeper = NULL;
    return keeper_open(&alerter->keeper, &parts, service_state_dir(alerter->service));
}

/* Where the memory turns out bad half-way, it begins with none. */
static int open_memory(struct alerter *alerter)
{
    int rc = open_core(alerter);

    if (rc == 0)
        rc = open_keeper(alerter);
    if (rc == 0)
        rc = keeper_load(alerter->keeper, alerter_on_pending, alerter);
    alerter->cold = rc <= 0;
    if (rc > 0)
        core_doubt(alerter->core);
    if (rc != -EBADMSG)
        return rc < 0 ? rc : 0;
    rc = open_core(alerter);
    return rc == 0 ? open_keeper(alerter) : rc;
}

static int subscribe(struct alerter *alerter)
{
    static const struct {
        enum topic_kind kind;
        const char *location, *device;
    } kinds[] = {{TOPIC_SILENCE, NULL, NULL}, {TOPIC_ALERT, "+", "+"}, {TOPIC_ACK, "+", "+"}};
    char filter[TOPIC_SIZE];
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof kinds / sizeof *kinds; i++) {
        rc = topic_make(filter, service_root(alerter->service), kinds[i].kind, kinds[i].location,
                        kinds[i].device, "+");
        if (rc == 0)
            rc = mqtt_subscribe(alerter->mqtt, filter, 0, alerter_on_message, alerter);
    }
    return rc;
}

static void alerter_free(struct alerter *alerter)
{
    health_off_sample(service_health(alerter->service), alerter);
    loop_timer_close(alerter->timer);
    loop_timer_close(alerter->confirm_timer);
    keeper_close(alerter->keeper);
    outbound_close(alerter->outbound);
    core_close(alerter->core);
    free(alerter);
}

static int alerter_open(struct alerter *alerter)
{
    struct health *health = service_health(alerter->service);
    int rc = 0;

    alerter->bad = health_count(health, "refused.bad_message");
    alerter->idle = health_count(health, "refused.ack_of_no_alert");
    alerter->lost = health_count(health, "dropped.other");
    if (rc == 0)
        rc = loop_timer_open(&alerter->timer, service_loop(alerter->service), alerter_on_time,
                             alerter);
    if (rc == 0)
        rc = loop_timer_open(&alerter->confirm_timer, service_loop(alerter->service),
                             alerter_on_confirm_time, alerter);
    if (rc == 0)
        rc = outbound_open(&alerter->outbound, alerter->service, alerter->settings,
                           alerter_on_change, alerter);
    if (rc == 0)
        rc = open_memory(alerter);
    if (rc == 0)
        rc = health_on_sample(health, alerter_sample, alerter);
    if (rc == 0)
        rc = subscribe(alerter);
    return rc;
}

int alerter_start(void **out, struct service *service, const void *settings)
{
    struct alerter *alerter = calloc(1, sizeof *alerter);
    int rc;

    if (!alerter)
        return -ENOMEM;
    alerter->settings = settings;
    alerter->service = service;
    alerter->mqtt = service_mqtt(service);
    alerter->bad_limit.every_ms = LOG_EVERY_MS;
    rc = alerter_open(alerter);
    if (rc < 0) {
        alerter_free(alerter);
        return rc;
    }
    alerter_plan(alerter);
    *out = alerter;
    return 0;
}

/* The first connection tells what is retained; from then on, and after the next start, what differs
 * from that is news: hence the memory is kept even if it is empty. Doubts begin where the link
 * ends, since what is retained may be heard before it is said to be up again. */
void alerter_on_link(void *self, bool up)
{
    struct alerter *alerter = self;

    if (up) {
        keeper_changed(alerter->keeper);
        if (alerter->settings->confirm_ms > 0)
            confirm_in(alerter, alerter->settings->confirm_ms);
    } else {
        alerter->cold = false;
        core_doubt(alerter->core);
        loop_timer_cancel(alerter->confirm_timer);
    }
}

void alerter_drain(void *self)
{
    struct alerter *alerter = self;

    outbound_stop(alerter->outbound);
}

bool alerter_drained(void *self)
{
    struct alerter *alerter = self;

    return !outbound_busy(alerter->outbound);
}

void alerter_close(void *self)
{
    struct alerter *alerter = self;

    keeper_save(alerter->keeper);
    alerter_free(alerter);
}

bool alerter_working(void *self, char *why, size_t size)
{
    struct alerter *alerter = self;

    if (keeper_error(alerter->keeper) == 0)
        return true;
    snprintf(why, size, "the memory cannot be saved in %s: %s", keeper_path(alerter->keeper),
             strerror(-keeper_error(alerter->keeper)));
    return false;
}
