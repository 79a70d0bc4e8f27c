#include "feed.h"

#include "clock.h"

#include <stdlib.h>

#define LIGHT_SHARE 100 /* a batch of less than this part of a full one is light … */
#define LIGHT_AGE 20    /* … and waits this part of the time */
#define OLD_MS 5000     /* what came before that is overtaken by what is new … */
#define LATE_MS 7000    /* … and what is new, where that is late itself, by what is newer */

int feed_open(struct feed *feed, const struct loader *loader, struct spool_reader *reader,
              int64_t batch_age_ms)
{
    *feed = (struct feed){.loader = *loader, .reader = reader, .batch_age_ms = batch_age_ms};
    lanes_init(&feed->lanes, spool_cursor(reader));
    feed->marks[0].end = feed->marks[1].end = spool_end(reader);
    return spool_follow(&feed->follower, reader);
}

void feed_close(struct feed *feed)
{
    spool_unfollow(feed->follower);
}

static int load(struct feed *feed, struct spool_reader *reader, uint64_t from, uint64_t limit,
                struct batch *batch)
{
    int error;

    if (batch->n_messages == 0)
        batch->first = batch->next = from;
    error = loader_fill(&feed->loader, reader, limit, batch);
    if (error) {
        batch_clear(batch);
        spool_seek(reader, from);
    }
    return error;
}

/* Whatever the clock was set to meanwhile: to overtake without need does no harm. */
static bool is_older(const struct feed *feed, const struct batch *batch, int64_t age_ms)
{
    return llabs(clock_time_ms() - batch->received_ms) > age_ms + feed->batch_age_ms;
}

/* The lane that takes the newest is late: what is new, and all that comes, goes first. */
static void split(struct feed *feed, int64_t now_ms)
{
    uint64_t begin = feed->marks[0].end;

    if (!lanes_split(&feed->lanes, begin))
        return;
    spool_seek(feed->follower, begin);
    feed->turns.new_due_ms = now_ms;
}

int64_t feed_oldest_ms(const struct feed *feed)
{
    return lanes_are_two(&feed->lanes) ? feed->old_received_ms : 0;
}

void feed_look(struct feed *feed, int64_t now_ms)
{
    if (now_ms - feed->marks[1].at_ms < FEED_LOOK_MS)
        return;
    feed->marks[0] = feed->marks[1];
    feed->marks[1] = (struct feed_mark){spool_end(feed->reader), now_ms};
}

static int take_new(struct feed *feed, struct batch *batch, int64_t now_ms)
{
    int error = load(feed, feed->follower, lanes_new(&feed->lanes), UINT64_MAX, batch);

    if (error || batch->n_messages == 0)
        return error;
    lanes_took_new(&feed->lanes, batch->next);
    turns_took_new(&feed->turns,
                   now_ms + (loader_is_full(&feed->loader, batch) ? 0 : feed->batch_age_ms));
    if (is_older(feed, batch, LATE_MS))
        split(feed, now_ms);
    return 1;
}

/* When the batch goes. The first message after a pause goes at once. While posts follow each other
 * they are batch.age apart, so that under load many points share one; the few points of a light
 * load wait a twentieth of it, which costs the store twenty posts in that time at most. */
static int64_t due_ms(const struct feed *feed, const struct batch *batch)
{
    bool light = batch->lines.n * LIGHT_SHARE < feed->loader.points_max;

    if (batch->next == batch->first)
        return INT64_MAX;
    if (lanes_are_two(&feed->lanes) || loader_is_full(&feed->loader, batch))
        return 0;
    return feed->old_went_ms + feed->batch_age_ms / (light ? LIGHT_AGE : 1);
}

static int take_old(struct feed *feed, struct batch *batch, int64_t now_ms, int64_t *at_ms)
{
    bool one_lane = !lanes_are_two(&feed->lanes);
    int error = load(feed, feed->reader, feed->lanes.next, lanes_limit(&feed->lanes), batch);

    if (error)
        return error;
    *at_ms = due_ms(feed, batch);
    if (now_ms < *at_ms)
        return 0;
    feed->old_went_ms = now_ms;
    feed->old_received_ms = batch->received_ms;
    turns_took_old(&feed->turns);
    if (lanes_took_old(&feed->lanes, batch->next))
        spool_seek(feed->reader, feed->lanes.next);
    if (one_lane && is_older(feed, batch, OLD_MS))
        split(feed, now_ms);
    return 1;
}

int feed_take(struct feed *feed, struct batch *batch, int64_t now_ms, int64_t *at_ms)
{
    int result = 0;

    if (lanes_are_two(&feed->lanes) && turns_is_new(&feed->turns, now_ms))
        result = take_new(feed, batch, now_ms);
    return result != 0 ? result : take_old(feed, batch, now_ms, at_ms);
}

int feed_take_again(struct feed *feed, struct batch *batch)
{
    struct spool_reader *reader;
    int error = spool_follow(&reader, feed->reader);

    if (error)
        return error;
    error = loader_fill_again(&feed->loader, reader, batch);
    spool_unfollow(reader);
    return error;
}
