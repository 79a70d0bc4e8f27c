/* Receiving that must be durable: a persistent MQTT 5 session whose messages are handed over *before*
 * the broker gets its PUBACK. Receives only; on_message runs on the library's thread and what it does
 * not keep before it returns is lost. It reconnects by itself like mqtt.h does. */
#ifndef INTAKE_H
#define INTAKE_H

#include "mqtt.h"

struct intake;

struct intake_handlers {
    /* On the library's thread: keep the message, or wait until it can be kept (the broker then keeps
     * the rest). Nothing of intake.h may be called here. */
    void (*on_message)(void *self, const struct mqtt_message *message);
    /* On the loop. */
    void (*on_up)(void *self, bool session_present);
    void (*on_down)(void *self, const char *reason);
};

/* `options->instance` is the client identifier here; no will and no birth are sent. Options and filters
 * (NULL at the end) are copied. Returns 0 or -errno. */
int intake_open(struct intake **out, struct loop *loop, const struct mqtt_options *options,
                const char *const *filters, const struct intake_handlers *handlers, void *self);
void intake_close(struct intake *intake); /* keeps the session at the broker */

bool intake_is_up(const struct intake *intake);

struct intake_stats {
    uint64_t received;
    uint64_t connects;
    uint64_t failures;
    uint64_t sessions_lost; /* connects at which the broker no longer knew us */
};
struct intake_stats intake_stats(const struct intake *intake);

#endif
