/* The suite's connection to the broker: MQTT 5, for all that is published and for what need not be
 * on disk before it is acknowledged (that is intake.h's).
 *
 * It connects by itself, forever, with full jitter; subscribes anew on every connect; sends the
 * will and the birth (contract, section 1, `_service/{instance}/status`); keeps what was published
 * until the broker has acknowledged it, across reconnects. The library blocks at times, so it runs
 * on a thread of its own; every handler here is called on the loop. */
#ifndef MQTT_H
#define MQTT_H

#include "loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mqtt;

struct mqtt_message {
    const char *topic;
    const void *payload;
    size_t size;                /* bytes of the payload */
    int qos;                    /* 0, 1 or 2 */
    bool retained;              /* received: it was kept by the broker, nobody sent it just now */
    uint32_t expiry_s;          /* MQTT 5 message expiry interval; 0 is none */
    const char *response_topic; /* NULL where there is none */
    const void *correlation;    /* MQTT 5 correlation data */
    size_t correlation_size;
};

struct mqtt_options {
    const char *url; /* mqtt://host:port or mqtts://host:port */
    const char *root;
    const char *instance; /* the client identifier, and the name below root/_service */
    const char *version;  /* told in the birth */
    const char *username; /* NULL: anonymous */
    const char *password;
    const char *ca_file;   /* for mqtts; NULL: the system's */
    const char *cert_file; /* for mqtts with a client certificate */
    const char *key_file;
    int64_t keep_alive_ms;
    int64_t connect_timeout_ms;
    int64_t backoff_first_ms;
    int64_t backoff_max_ms;
    int64_t session_expiry_ms; /* 0: clean start, nothing is queued for us while we are away */
    size_t outbox_bytes;       /* what waits for the broker; beyond it the oldest goes, counted */
    size_t inbox_bytes;        /* what waits for the loop; beyond it the connection is not read */
    int64_t gather_ms; /* messages that come closer are handed over so often, together; 0: each at
                          once. To wake for each costs more than most are worth. */
};

/* All on the loop's thread. on_up comes after the broker has granted the subscriptions. */
struct mqtt_handlers {
    void (*on_up)(void *self, bool session_present);
    void (*on_down)(void *self, const char *reason);
};

/* `message` is borrowed for the call. */
typedef void mqtt_message_fn(void *self, const struct mqtt_message *message);

/* Options are copied. The connection is tried at once after mqtt_start(), so that what is
 * subscribed in between is part of the first connect. Returns 0 or -errno. */
int mqtt_open(struct mqtt **out, struct loop *loop, const struct mqtt_options *options,
              const struct mqtt_handlers *handlers, void *self);
int mqtt_start(struct mqtt *mqtt);

/* Publishes the "offline" status, disconnects and ends the thread. What was not acknowledged within
 * `drain_ms` is dropped and counted. */
void mqtt_close(struct mqtt *mqtt, int64_t drain_ms);

/* Remembered and repeated on every connect; may be called at any time. Each message goes to the
 * first filter that matches its topic, in the order of subscribing, and to all that are the same
 * as that filter. A subscription that the broker
 * refuses, or grants and then does not honour (an echo is sent to find out), is logged and counted.
 * MQTT_LIVE: retained messages are not sent on subscribing (Retain Handling 2); one that is
 * published with the retain flag still arrives marked as such (Retain As Published), for commands.
 * MQTT_AT_MOST_ONCE: QoS 0, at half the cost. Within a connection nothing is lost by it; without a
 * session (session_expiry_ms 0) nothing over reconnects either that QoS 1 would keep.
 * Returns 0 or -ENOMEM. */
enum { MQTT_LIVE = 1, MQTT_AT_MOST_ONCE = 2 };
int mqtt_subscribe(struct mqtt *mqtt, const char *filter, unsigned flags,
                   mqtt_message_fn *on_message, void *self);
/* All that was subscribed with this `self`. */
void mqtt_unsubscribe(struct mqtt *mqtt, const void *self);
void mqtt_unsubscribe_all(struct mqtt *mqtt);
/* Before the end: nothing more is handed on. The broker is not told, it hears of the end itself. */
void mqtt_leave(struct mqtt *mqtt);

/* Copies the message and returns at once. Returns 0; -EINVAL for a topic that no broker takes;
 * -ENOSPC or -ENOMEM where it could not be kept, counted as dropped. */
int mqtt_publish(struct mqtt *mqtt, const struct mqtt_message *message);
/* The common case: QoS 1, a text. */
int mqtt_publish_text(struct mqtt *mqtt, const char *topic, const char *text, bool retained);

/* The same as mqtt_publish(), and tells on the loop, once, what came of it: 0 where the broker
 * acknowledged it (at QoS 0: it was sent); the reason code with which the broker refused it, 128 or
 * more (MQTT 5, section 3.4.2.1); -ENOSPC where it had to go for want of room. While the connection
 * is away nothing is told: the message is sent again on the next one. */
typedef void mqtt_done_fn(void *self, int outcome);
int mqtt_publish_told(struct mqtt *mqtt, const struct mqtt_message *message, mqtt_done_fn *on_done,
                      void *self);
/* Nothing more is told to this `self`; what it published goes on. */
void mqtt_forget(struct mqtt *mqtt, const void *self);

bool mqtt_is_up(const struct mqtt *mqtt);
/* The echo of every subscription has come back on this connection: what the broker retained for
 * them was handed over before. */
bool mqtt_is_heard(const struct mqtt *mqtt);
bool mqtt_is_idle(const struct mqtt *mqtt); /* everything published is acknowledged */
struct loop *mqtt_loop(const struct mqtt *mqtt);
const char *mqtt_root(const struct mqtt *mqtt);
const char *mqtt_instance(const struct mqtt *mqtt);
int64_t mqtt_session(const struct mqtt *mqtt); /* number of the current connection's birth */

struct mqtt_stats {
    uint64_t received;
    uint64_t published; /* acknowledged by the broker, or sent at QoS 0 */
    uint64_t dropped;   /* given to mqtt_publish() and lost: outbox full, refused, or at the end */
    uint64_t refused;   /* acknowledged with a failure reason; also in `dropped` */
    uint64_t connects;  /* successful ones */
    uint64_t failures;  /* failed attempts */
    uint64_t silent_subscriptions; /* now: granted, but the echo did not come back */
    size_t queued_bytes;           /* in the outbox now */
};
struct mqtt_stats mqtt_stats(const struct mqtt *mqtt);

#endif
