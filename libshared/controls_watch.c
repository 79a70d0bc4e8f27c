#include "clock.h"
#include "controls_state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TICK_MS 50 /* how late a time-out of an actuator may be noticed */

static bool is_excluded(const struct controls *controls, const struct actuator *actuator)
{
    const char *group = actuator_settings(actuator)->guard.exclusive;

    for (size_t i = 0; i < controls->n_controls && group[0] != '\0'; i++) {
        const struct actuator *other = controls->controls[i].actuator;

        if (other != actuator && strcmp(actuator_settings(other)->guard.exclusive, group) == 0 &&
            actuator_may_be_on(other))
            return true;
    }
    return false;
}

const char *controls_forbid(void *self, const struct actuator *actuator, const char **why)
{
    struct controls *controls = self;
    const struct control *control = controls_find(controls, actuator_settings(actuator)->name);

    *why = NULL;
    if (is_excluded(controls, actuator))
        *why = "another actuator of its group is on, or may be";
    else if (control->interlock &&
             !interlock_holds(control->interlock, device_latest(controls->device), clock_now_ms()))
        *why = "its interlock does not hold";
    else if (control->failsafe.input_stale)
        *why = "an input of its fail-safe is stale";
    return *why ? "interlock" : NULL;
}

bool controls_device_is_there(const struct controls *controls)
{
    enum device_state state = device_state(controls->device);

    return state == DEVICE_ONLINE || state == DEVICE_DEGRADED;
}

static void force(struct controls *controls, struct control *control, const char *cause)
{
    char name[48];

    snprintf(name, sizeof name, "failsafe.%s", cause);
    health_raise(health_count(controls->health, name), 1);
    log_warning("failsafe", "device=%s actuator=%s cause=%s", device_name(controls->device),
                actuator_settings(control->actuator)->name, cause);
    actuator_force(control->actuator, cause, clock_now_ms(), clock_time_ms());
}

struct failsafe_signs controls_signs(const struct controls *controls,
                                     const struct heartbeat *heartbeat)
{
    int64_t heard_ms = heartbeat ? heartbeat_ms(heartbeat) : 0;

    return (struct failsafe_signs){
        .broker_ms = controls->broker_ms,
        .controller_ms = heard_ms > controls->command_ms ? heard_ms : controls->command_ms,
        .latest = device_latest(controls->device)};
}

static const char *judge(struct controls *controls, struct control *control)
{
    const struct failsafe_signs signs = controls_signs(controls, control->heartbeat);

    return failsafe_judge(&control->failsafe, &signs, clock_now_ms());
}

/* What goes to its safe value goes ahead of what is commanded. */
static void tick(struct controls *controls, struct control *control, bool device_is_there)
{
    const char *cause = judge(controls, control);
    bool waited;

    if (cause)
        force(controls, control, cause);
    waited = actuator_waiting(control->actuator);
    actuator_tick(control->actuator, device_is_there, clock_now_ms(), clock_time_ms());
    if (waited || !actuator_waiting(control->actuator))
        return;
    control->turn = 0;
    controls->on_waiting(controls->self);
}

static void on_time(void *self)
{
    struct controls *controls = self;

    if (mqtt_is_up(controls->mqtt))
        controls->broker_ms = clock_now_ms();
    for (size_t i = 0; i < controls->n_controls; i++)
        tick(controls, &controls->controls[i], controls_device_is_there(controls));
    controls_feed(controls);
    loop_timer_set(controls->timer, clock_now_ms() + TICK_MS);
}

void controls_wire_up(struct controls *controls)
{
    for (size_t i = 0; i < controls->n_controls; i++) {
        actuator_force_now(controls->controls[i].actuator, clock_now_ms());
        tick(controls, &controls->controls[i], true);
    }
}

/* Gives the one heartbeat of a controller, however many listen to it; NULL where it has no name. */
static int listen_to(struct controls *controls, const char *controller,
                     const struct heartbeat **out)
{
    size_t n = 0;
    int error;

    *out = NULL;
    if (controller[0] == '\0')
        return 0;
    while (n < CONTROLLERS_MAX && controls->heartbeats[n]) {
        *out = controls->heartbeats[n++];
        if (strcmp(heartbeat_instance(*out), controller) == 0)
            return 0;
    }
    if (n == CONTROLLERS_MAX)
        return -E2BIG;
    error = heartbeat_open(&controls->heartbeats[n], controls->mqtt, controller);
    *out = controls->heartbeats[n];
    return error;
}

int controls_watch(struct controls *controls, struct control *control)
{
    const struct actuator_settings *settings = actuator_settings(control->actuator);
    int error = 0;

    failsafe_init(&control->failsafe, &settings->fail_safe, clock_now_ms());
    if (settings->guard.interlock)
        error = interlock_open(&control->interlock, settings->guard.interlock);
    if (error == 0)
        error = listen_to(controls, settings->fail_safe.controller, &control->heartbeat);
    return error;
}

int controls_watch_device(struct controls *controls, const struct watchdog_settings *watchdog)
{
    static const struct watchdog_settings none = {0};

    watchdog_init(&controls->watchdog, watchdog ? watchdog : &none, clock_now_ms());
    return watchdog
               ? listen_to(controls, watchdog->missing.controller, &controls->watchdog_heartbeat)
               : 0;
}

int controls_watch_start(struct controls *controls)
{
    int error = loop_timer_open(&controls->timer, mqtt_loop(controls->mqtt), on_time, controls);

    if (error == 0 && (controls->n_controls > 0 || controls->watchdog.settings->period_ms > 0))
        loop_timer_set(controls->timer, clock_now_ms());
    return error;
}

void controls_watch_stop(struct controls *controls)
{
    loop_timer_close(controls->timer);
    for (size_t i = 0; i < controls->n_controls; i++)
        interlock_close(controls->controls[i].interlock);
    for (size_t i = 0; i < CONTROLLERS_MAX; i++)
        heartbeat_close(controls->heartbeats[i]);
}

void controls_leave(struct controls *controls)
{
    controls->leaving = true;
    controls_offline(controls);
    for (size_t i = 0; i < controls->n_controls; i++) {
        struct control *control = &controls->controls[i];

        if (!actuator_settings(control->actuator)->fail_safe.exit)
            continue;
        force(controls, control, "exit");
        tick(controls, control, controls_device_is_there(controls));
    }
}

bool controls_settled(const struct controls *controls)
{
    for (size_t i = 0; i < controls->n_controls; i++) {
        const struct actuator *actuator = controls->controls[i].actuator;

        if (!actuator_settled(actuator) &&
            (controls_device_is_there(controls) || actuator_in_flight(actuator)))
            return false;
    }
    return true;
}
