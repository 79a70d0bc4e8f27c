/* The thread that brings the spool to one target: loads batches, posts two of them at a time, and
 * moves the target's cursor only after the store said yes to all before it or the dead letters hold
 * what it refused.
 *
 * Two posts at a time, halved ones and those that overtake a backlog (feed.h) may reach the store
 * in another order than their messages came in. That makes no difference but for two values of one
 * field at the same millisecond of the same series, of which a store keeps the one it got last. */
#ifndef SENDER_H
#define SENDER_H

#include "account.h"
#include "health.h"
#include "inbox.h"
#include "settings.h"
#include "spool.h"

struct sender;

struct sender_options { /* all borrowed until the end */
    const struct settings *settings;
    const struct target_settings *target;
    const char *root;
    struct spool_reader *reader;
    struct health *health;
    struct inbox *events;    /* gets struct report_event */
    struct account *account; /* is told how readings ended; NULL: of another target */
};

int sender_open(struct sender **out, const struct sender_options *options); /* 0 or -errno */

/* Ends the post in flight and the thread; what was not committed stays in the spool. */
void sender_close(struct sender *sender);

/* Seen from the loop. */
struct sender_view {
    enum breaker_state breaker;
    bool away;           /* the last post found no store */
    bool held;           /* the store takes nothing from us */
    int64_t received_ms; /* wall clock, when the oldest message on its way came, or of a backlog
                            that is overtaken; 0 where there is none */
    uint64_t n_done;     /* of the spool's records; also those that overtook others */
};
struct sender_view sender_view(const struct sender *sender);

#endif
