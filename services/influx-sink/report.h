/* What the sender's thread has to tell: dead letters, to their file and to the loop, which
 * publishes them; and what is wrong, to the loop. */
#ifndef REPORT_H
#define REPORT_H

#include "health.h"
#include "inbox.h"
#include "message.h"
#include "settings.h"

enum report_kind {
    REPORT_DEAD, /* text: the letter to publish, JSON */
    REPORT_ERROR /* text: what is wrong now */
};

struct report_event {
    struct inbox_item item; /* first: an inbox holds these */
    enum report_kind kind;
    size_t size;
    char text[]; /* NUL-terminated */
};
void report_event_free(struct inbox_item *item);

struct report;

/* All is borrowed until the end. Returns 0 or -errno. */
int report_open(struct report **out, const struct settings *settings, struct health *health,
                struct inbox *events);
void report_close(struct report *report);

void report_error(struct report *report, const char *text);

/* Counts it as dead.<reason>, writes and tells it. Returns 0, or -errno where it is not in the
 * file; nothing is counted or told then. */
int report_dead(struct report *report, const struct message *message, const char *reason,
                const char *detail);
int report_sync(struct report *report); /* the file is on the disk: 0 or -errno */

#endif
