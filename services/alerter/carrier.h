/* How a channel of one type carries what it has to say: what is written on the loop, and what
 * blocks, on a worker's thread. */
#ifndef CARRIER_H
#define CARRIER_H

#include "buffer.h"
#include "channel_settings.h"
#include "notification.h"

#include <stdint.h>

enum carrier_verdict {
    CARRIER_DELIVERED,
    CARRIER_RETRY,  /* the other side cannot take it now */
    CARRIER_REFUSED /* it never will take this one */
};

struct carrier_result {
    enum carrier_verdict verdict;
    int64_t retry_after_ms;              /* 0 where the other side did not say */
    char error[NOTIFICATION_ERROR_SIZE]; /* of a delivery: who was refused, else "" */
};

/* What goes out, ready. Which parts there are, the type says. */
struct parcel {            /* starts as `= {0}` */
    struct buffer headers; /* of a mail, a line each */
    struct buffer body;
    struct buffer html; /* of a mail */
};
void parcel_free(struct parcel *parcel);

struct carrier_kind {
    /* On the loop: writes the parcel. Returns 0 or -ENOMEM. */
    int (*pack)(const struct channel_settings *settings, const struct notification *notification,
                struct parcel *out);
    /* The settings are borrowed. Returns 0 or -errno. */
    int (*open)(void **out, const struct channel_settings *settings);
    void (*close)(void *carrier); /* NULL is ignored */
    /* On the worker's thread: blocks until it is known what came of it. */
    void (*carry)(void *carrier, const struct parcel *parcel, struct carrier_result *out);
    void (*abort)(void *carrier); /* from any thread: ends what is in flight soon */
};

/* NULL for what is done on the loop: the log and MQTT. */
const struct carrier_kind *carrier_kind(enum channel_type type);

extern const struct carrier_kind carrier_http; /* webhooks and the services that have one */
extern const struct carrier_kind carrier_mail;
extern const struct carrier_kind carrier_command;

#endif
