/* What a sender posts next: batches of what came, in order and each in time; and where that is old,
 * of what is new in between, so that neither keeps the other one waiting: turns.h says how they
 * share. For a sender's thread. */
#ifndef FEED_H
#define FEED_H

#include "lanes.h"
#include "loader.h"
#include "turns.h"

struct feed {
    struct loader loader;
    struct spool_reader *reader;   /* borrowed */
    struct spool_reader *follower; /* reads what is new, while that is out of turn; owned */
    struct lanes lanes;
    int64_t batch_age_ms;
    int64_t old_went_ms;     /* the last batch of the first lane; monotonic */
    int64_t old_received_ms; /* its first message; wall clock */
    struct turns turns;
    /* Where the spool ended a while ago, and when that was looked at: what is new begins there. */
    struct feed_mark {
        uint64_t end;
        int64_t at_ms;
    } marks[2]; /* the older one first */
};

/* `loader` is copied. Returns 0 or -ENOMEM. */
int feed_open(struct feed *feed, const struct loader *loader, struct spool_reader *reader,
              int64_t batch_age_ms);
void feed_close(struct feed *feed);

/* When about the oldest message came that has not been taken; wall clock, 0 where that is not
 * known: nothing is overtaken. */
int64_t feed_oldest_ms(const struct feed *feed);

#define FEED_LOOK_MS 2500
/* To be called each FEED_LOOK_MS while a batch that went is not done with. */
void feed_look(struct feed *feed, int64_t now_ms);

/* Loads an empty batch, or more into the one that had to wait at the last call; there may be one of
 * those. Returns 1 where it shall go now; 0 where it shall wait until *at_ms, or, empty, until
 * spool_fd() tells of more; -errno, and then it is empty and what it held is loaded again. */
int feed_take(struct feed *feed, struct batch *batch, int64_t now_ms, int64_t *at_ms);

/* Loads a batch that went once more. Returns 0 or -errno; it is then to be done again. */
int feed_take_again(struct feed *feed, struct batch *batch);

#endif
