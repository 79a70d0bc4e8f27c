/* A notification: what one channel is told about one change of one alert. Pure.
 *
 * Its id, location/device/rule/episode/state, is the same however often it is sent, so that who
 * gets it twice can tell. */
#ifndef NOTIFICATION_H
#define NOTIFICATION_H

#include "alert.h"
#include "buffer.h"
#include "jsonr.h"
#include "jsonw.h"
#include "topic.h"

#include <stdbool.h>
#include <stdint.h>

#define NOTIFICATION_ID_SIZE 256
#define NOTIFICATION_MESSAGE_MAX 2048 /* bytes of an alert's message that are passed on */
#define NOTIFICATION_ERROR_SIZE 256

struct notification {
    struct notification *next; /* in whatever list it is */
    char id[NOTIFICATION_ID_SIZE];
    char location[TOPIC_NAME_SIZE];
    char device[TOPIC_NAME_SIZE];
    char rule[TOPIC_NAME_SIZE];
    enum alert_state state;
    enum alert_severity severity;
    uint64_t episode;
    int64_t since_ms;   /* wall clock, as the alert says */
    int64_t created_ms; /* wall clock */
    struct value value; /* owned */
    char *message;      /* owned */
    unsigned attempts;
    char error[NOTIFICATION_ERROR_SIZE]; /* of the last attempt that failed; "" where none did */
};

/* `topic` names location, device and rule. All is copied. Return 0 or -ENOMEM. */
int notification_open(struct notification **out, const struct topic *topic,
                      const struct alert *alert, int64_t time_ms);
int notification_copy(struct notification **out, const struct notification *from);
void notification_close(struct notification *notification); /* NULL is ignored */

/* "firing: critical facility_a/line_001 over_pressure: pressure 7.0 bar"; stale and resolved read
 * differently, so that nobody takes missing data for an all-clear. */
void notification_text(const struct notification *notification, struct buffer *out);

/* The body of a webhook. Returns 0 or -ENOMEM. */
int notification_body(const struct notification *notification, struct buffer *out);

/* The payload of root/_notification/{channel}; proto/notification.schema.json. Returns 0 or
 * -ENOMEM. */
int notification_outcome(const struct notification *notification, bool delivered, int64_t time_ms,
                         struct buffer *out);

/* All of it, for the state file, and back. notification_read() returns 0, -ENOMEM or -EBADMSG with
 * a sentence in in->error. */
void notification_write(const struct notification *notification, struct jsonw *w, const char *key);
int notification_read(struct notification **out, const struct jsonr *in);

#endif
