/* What the alerter knows of every alert, and whether what it hears is news. Pure.
 *
 * News is what differs from this memory, whether it arrives live or retained: an alert that fired
 * while the alerter was away is told once, and one that it told before a restart is not told again.
 * Each state of an episode is told at most once: firing, stale (data is missing; never taken for
 * resolved) and resolved. What MQTT delivers a second time or too late is recognised by episode and
 * `since`. */
#ifndef LIFE_H
#define LIFE_H

#include "alert.h"
#include "topic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct life;

struct life_alert {
    char location[TOPIC_NAME_SIZE];
    char device[TOPIC_NAME_SIZE];
    char rule[TOPIC_NAME_SIZE];
    uint64_t episode;
    int64_t since_ms;
    enum alert_state state;
    enum alert_severity severity;
    unsigned told; /* a bit for each alert_state told in this episode: 1u << state */
};

/* Remembers up to `capacity` alerts; beyond that the oldest is forgotten, a resolved one if there
 * is any. Returns 0 or -ENOMEM. */
int life_open(struct life **out, size_t capacity);
void life_close(struct life *life); /* NULL is ignored */

/* Takes what was heard. `fill_only`: only take it into the picture, as known. Returns 1 where it is
 * news, 0 where it is not, or -ENOMEM. */
int life_offer(struct life *life, const struct topic *topic, const struct alert *alert,
               bool fill_only);

void life_forget(struct life *life, const struct topic *topic); /* the alert was deleted */

/* For the state file. life_restore() copies; it returns 0 or -ENOMEM. */
int life_restore(struct life *life, const struct life_alert *alert);
size_t life_size(const struct life *life);
const struct life_alert *life_at(const struct life *life,
                                 size_t index); /* borrowed until changed */

size_t life_active(const struct life *life);      /* alerts that are not resolved */
uint64_t life_forgotten(const struct life *life); /* for want of room */

#endif
