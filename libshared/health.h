/* What a service counts, published each 10 s as root/_service/{instance}/health (contract, section
 * 5; proto/health.schema.json). Counters may be raised from any thread; the rest is the loop's. */
#ifndef HEALTH_H
#define HEALTH_H

#include "breaker.h"
#include "buffer.h"

#include <stdatomic.h>
#include <stdint.h>

struct health;
struct jsonw;

int health_open(struct health **out); /* 0 or -ENOMEM */
void health_close(struct health *health);

/* A counter that only rises, found or made by its name, dotted for the reason: "readings",
 * "dropped.outbox_full". Never NULL: on failure a shared one that nobody publishes. */
typedef _Atomic uint64_t health_counter;
health_counter *health_count(struct health *health, const char *name);
static inline void health_raise(health_counter *counter, uint64_t by)
{
    atomic_fetch_add_explicit(counter, by, memory_order_relaxed);
}

/* Called each time before health is encoded, to set what is measured at that moment. */
typedef void health_sample_fn(void *self, struct health *health);
int health_on_sample(struct health *health, health_sample_fn *sample, void *self);
void health_off_sample(struct health *health, void *self);
/* Called at the end of each encoding, to write what one service has more than others into the
 * object; one at a time, NULL for none. */
typedef void health_members_fn(void *self, struct jsonw *w);
void health_set_members(struct health *health, health_members_fn *write, void *self);
void health_set(struct health *health, const char *gauge, double number);
void health_set_breaker(struct health *health, const char *name, enum breaker_state state);
void health_drop(struct health *health, const char *name); /* such a gauge, of what is gone */
void health_set_error(struct health *health, int64_t time_ms, const char *error); /* the last one */

/* Appends the JSON object; `uptime_ms` since the start. Returns 0 or -ENOMEM. */
int health_encode(struct health *health, int64_t time_ms, int64_t uptime_ms, int64_t session,
                  struct buffer *out);

#endif
