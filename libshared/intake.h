/* Receiving that must be durable: a persistent MQTT 5 session whose messages are handed over
 * *before* the broker gets its PUBACK. Receives only; on_message runs on the library's thread and
 * what it does not keep before it returns is lost. It reconnects by itself like mqtt.h does. */
#ifndef INTAKE_H
#define INTAKE_H

#include "mqtt.h"

struct intake;

struct intake_handlers {
    /* On the library's thread: keep the message and return 0, or wait until it can be kept (the
     * broker then keeps the rest). Other than 0 says that it will not be kept: the thread stops
     * here for good and the message stays unacknowledged, the broker's to deliver again to the next
     * process. Nothing of intake.h may be called here. */
    int (*on_message)(void *self, const struct mqtt_message *message);
    /* On the loop. on_down also where an attempt fails for a new reason. */
    void (*on_up)(void *self, bool session_present);
    void (*on_down)(void *self, const char *reason);
    void (*on_refused)(void *self, const char *filter, const char *reason); /* may be NULL */
};

/* `options->instance` is the client identifier here; no will and no birth are sent. Options and
 * filters (NULL at the end) are copied. Retained messages come when a subscription is new to the
 * broker, not on every connect. Returns 0; -EBUSY where on_message once said that it will not keep
 * a message, since the library's one thread is gone with it; -EINVAL for a URL that cannot be used;
 * -errno. */
int intake_open(struct intake **out, struct loop *loop, const struct mqtt_options *options,
                const char *const *filters, const struct intake_handlers *handlers, void *self);

/* Keeps the session at the broker. A handler that waits in on_message must have been told to give
 * up before, or the library's client is left behind after a second, with `self` still in its hands:
 * returns false then. */
bool intake_close(struct intake *intake);

bool intake_is_up(const struct intake *intake);

struct intake_stats {
    uint64_t received;
    uint64_t connects;
    uint64_t failures;
    uint64_t sessions_lost; /* connects, after the first, at which the broker no longer knew us */
    uint64_t refused;       /* subscriptions that the broker refused, now */
};
struct intake_stats intake_stats(const struct intake *intake);

#endif
