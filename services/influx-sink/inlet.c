#include "inlet.h"

#include "clock.h"
#include "echo.h"
#include "intake.h"
#include "log.h"
#include "receiver.h"
#include "share.h"
#include "tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ECHO_WAIT_MS 5000

struct inlet {
    struct service *service;
    const struct settings *settings;
    char *filters[SETTINGS_FILTERS_MAX + 2]; /* owned; below the root no more; questions last */
    char *client_id;
    struct echo *echo;
    struct receiver *receiver;
    struct tracker *tracker; /* borrowed */
    struct stats *stats;     /* borrowed; NULL where no questions are answered */
    struct intake *intake;   /* NULL once nothing more is taken in */
    struct loop_timer *echo_timer;
    bool silent;      /* the broker granted a subscription and does not serve it */
    bool left_behind; /* the library still holds a part of us */
    struct tally connects, failures, sessions_lost;
};

/* On the library's thread. */
static int inlet_on_message(void *self, const struct mqtt_message *message)
{
    struct inlet *inlet = self;
    int error;

    if (echo_came(inlet->echo, message->topic) ||
        (inlet->stats && stats_on_message(inlet->stats, message)))
        return 0;
    error = receiver_on_message(inlet->receiver, message);
    if (!error)
        tracker_on_message(inlet->tracker, message);
    return error;
}

static void inlet_test_subscriptions(struct inlet *inlet)
{
    echo_send(inlet->echo, service_mqtt(inlet->service));
    loop_timer_set(inlet->echo_timer, loop_now(service_loop(inlet->service)) + ECHO_WAIT_MS);
}

static void inlet_on_up(void *self, bool session_present)
{
    struct inlet *inlet = self;

    log_info("intake_up", "client=%s session=%s", inlet->client_id,
             session_present ? "kept" : "new");
    inlet_test_subscriptions(inlet);
}

static void inlet_on_down(void *self, const char *reason)
{
    struct inlet *inlet = self;

    log_warning("intake_down", "client=%s reason=\"%s\"", inlet->client_id, reason);
    health_set_error(service_health(inlet->service), clock_time_ms(), reason);
    loop_timer_cancel(inlet->echo_timer);
}

static void inlet_on_refused(void *self, const char *filter, const char *reason)
{
    struct inlet *inlet = self;

    log_error("subscription_refused", "filter=%s reason=\"%s\"", filter, reason);
    health_set_error(service_health(inlet->service), clock_time_ms(), "a subscription was refused");
}

static void inlet_on_echo_time(void *self)
{
    struct inlet *inlet = self;
    const char *filter = echo_missing(inlet->echo);

    inlet->silent = filter != NULL;
    if (!filter || !mqtt_is_up(service_mqtt(inlet->service)))
        return;
    log_error("subscription_silent",
              "filter=%s what_to_do=\"allow this user to read it in the broker's ACL\"", filter);
    health_set_error(service_health(inlet->service), clock_time_ms(),
                     "a subscription is granted and not served");
}

static int inlet_make_names(struct inlet *inlet)
{
    const char *root = service_root(inlet->service);
    size_t n = 0;

    if (asprintf(&inlet->client_id, "%s-intake", service_instance(inlet->service)) < 0)
        inlet->client_id = NULL;
    if (!inlet->client_id)
        return -ENOMEM;
    for (; inlet->settings->filters[n]; n++)
        if (!(inlet->filters[n] = share_below(root, inlet->settings->filters[n])))
            return -ENOMEM;
    if (inlet->settings->stats.serve && asprintf(&inlet->filters[n], "%s/_query/stats", root) < 0) {
        inlet->filters[n] = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int inlet_open_intake(struct inlet *inlet)
{
    static const struct intake_handlers handlers = {.on_message = inlet_on_message,
                                                    .on_up = inlet_on_up,
                                                    .on_down = inlet_on_down,
                                                    .on_refused = inlet_on_refused};
    struct mqtt_options options = *service_mqtt_options(inlet->service);

    options.instance = inlet->client_id;
    options.session_expiry_ms = inlet->settings->session_expiry_ms;
    return intake_open(&inlet->intake, service_loop(inlet->service), &options,
                       (const char *const *)inlet->filters, &handlers, inlet);
}

static void inlet_on_version(void *self, const struct mqtt_message *message)
{
    struct inlet *inlet = self;
    char version[80];

    snprintf(version, sizeof(version), "%.*s", (int)message->size, (const char *)message->payload);
    if (!share_is_lost_by(version))
        return;
    log_warning("shared_subscription_at_risk",
                "broker=\"%s\" what_happens=\"it forgets who shares when it starts again: what is "
                "published before this sink is back goes to nobody\" what_to_do=\"split the topics "
                "among the sinks by location or device instead\"",
                version);
    health_set_error(service_health(inlet->service), clock_time_ms(),
                     "the broker forgets shared subscriptions when it starts again");
}

/* Who shares wants to know with what broker. */
static int inlet_ask_version(struct inlet *inlet)
{
    int prefix;

    for (size_t i = 0; inlet->settings->filters[i]; i++)
        if (share_is(inlet->settings->filters[i], &prefix))
            return mqtt_subscribe(service_mqtt(inlet->service), "$SYS/broker/version", 0,
                                  inlet_on_version, inlet);
    return 0;
}

static int inlet_set_up(struct inlet *inlet, struct spool *spool)
{
    struct service *service = inlet->service;
    int error = inlet_make_names(inlet);

    if (!error)
        error =
            loop_timer_open(&inlet->echo_timer, service_loop(service), inlet_on_echo_time, inlet);
    if (!error)
        error = echo_open(&inlet->echo, (const char *const *)inlet->filters);
    if (!error)
        error = receiver_open(&inlet->receiver, spool, service_health(service));
    if (!error)
        error = inlet_ask_version(inlet);
    return error ? error : inlet_open_intake(inlet);
}

int inlet_open(struct inlet **out, const struct inlet_options *options)
{
    struct inlet *inlet = calloc(1, sizeof(*inlet));
    int error;

    if (!inlet)
        return -ENOMEM;
    inlet->service = options->service;
    inlet->settings = options->settings;
    inlet->tracker = options->tracker;
    inlet->stats = options->stats;
    inlet->connects.name = "intake_connects";
    inlet->failures.name = "intake_failures";
    inlet->sessions_lost.name = "sessions_lost";
    error = inlet_set_up(inlet, options->spool);
    if (error) {
        inlet_close(inlet);
        return error;
    }
    *out = inlet;
    return 0;
}

void inlet_drain(struct inlet *inlet)
{
    if (!inlet || !inlet->intake)
        return;
    receiver_stop(inlet->receiver);
    inlet->left_behind = !intake_close(inlet->intake);
    inlet->intake = NULL;
}

bool inlet_close(struct inlet *inlet)
{
    if (!inlet)
        return true;
    inlet_drain(inlet);
    loop_timer_close(inlet->echo_timer);
    if (inlet->left_behind) /* a thread still waits in the receiver */
        return false;
    receiver_close(inlet->receiver);
    echo_close(inlet->echo);
    for (size_t i = 0; inlet->filters[i]; i++)
        free(inlet->filters[i]);
    free(inlet->client_id);
    free(inlet);
    return true;
}

/* The echoes go out by the service's own connection. */
void inlet_on_link(struct inlet *inlet, bool up)
{
    if (up && inlet->intake && intake_is_up(inlet->intake))
        inlet_test_subscriptions(inlet);
}

void inlet_sample(struct inlet *inlet, struct health *health)
{
    struct intake_stats stats;

    if (!inlet->intake)
        return;
    stats = intake_stats(inlet->intake);
    tally_tell(&inlet->connects, health, stats.connects);
    tally_tell(&inlet->failures, health, stats.failures);
    tally_tell(&inlet->sessions_lost, health, stats.sessions_lost);
}

bool inlet_working(const struct inlet *inlet, char *why, size_t size)
{
    int blocked = receiver_blocked(inlet->receiver);

    if (blocked)
        snprintf(why, size, "the spool takes nothing: %s", strerror(-blocked));
    else if (!inlet->intake || !intake_is_up(inlet->intake))
        snprintf(why, size, "no durable connection to the broker");
    else if (intake_stats(inlet->intake).refused > 0 || inlet->silent)
        snprintf(why, size, "the broker does not serve a subscription; see the log");
    else
        return true;
    return false;
}
