/* The library's asynchronous client behind plain calls, for receiving only. No call blocks, unless
 * a handler waits in on_message (intake_client_busy): then the library's lock is taken. Inside
 * intake.c. */
#ifndef INTAKE_CLIENT_H
#define INTAKE_CLIENT_H

#include "inbox.h"
#include "mqtt.h"

enum intake_event_kind {
    INTAKE_CONNECTED, /* flag: the broker still knew us */
    INTAKE_GRANTED,
    INTAKE_REFUSED, /* number: index of the filter; text: why */
    INTAKE_FAILED,  /* connecting or subscribing; text: why */
    INTAKE_LOST,    /* text: why */
    INTAKE_LEFT     /* disconnected as we asked */
};

struct intake_event {
    struct inbox_item item; /* first: an inbox holds these */
    enum intake_event_kind kind;
    bool flag;
    int number;
    char text[160];
};
void intake_event_free(struct inbox_item *item);

typedef int intake_client_fn(void *self, const struct mqtt_message *message);

struct intake_client;

/* All is borrowed until the end. `events` gets what the library's threads have to tell. Returns 0,
 * -EBUSY (see intake_open), -EINVAL, -ENOMEM. */
int intake_client_open(struct intake_client **out, const struct mqtt_options *options,
                       struct inbox *events, intake_client_fn *on_message, void *self);

/* Ends the client. False where a handler still waits in on_message: it is left behind then. */
bool intake_client_close(struct intake_client *client);

/* Started where they return 0: the rest comes as an event. Otherwise -EIO. */
int intake_client_connect(struct intake_client *client);
int intake_client_subscribe(struct intake_client *client, const char *const *filters,
                            int n_filters);
int intake_client_disconnect(struct intake_client *client);

bool intake_client_busy(const struct intake_client *client);
bool intake_client_stopped(void); /* on_message has said that it will not keep a message */
uint64_t intake_client_received(const struct intake_client *client);

#endif
