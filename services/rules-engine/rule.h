/* The state of one rule for one device: inactive → (for) → active → (clear_for) → inactive. Pure.
 *
 * Unknown never switches: it leaves an active rule active and starts a wait (`for`, `clear_for`)
 * anew. What has been unknown for `stale_after_ms` is stale. */
#ifndef RULE_H
#define RULE_H

#include "value.h"

#include <stdbool.h>
#include <stdint.h>

#define RULE_NEVER INT64_MAX

struct rule_timing {
    int64_t for_ms;         /* how long `when` must hold before the rule becomes active */
    int64_t clear_for_ms;   /* how long `until` must hold before it is inactive again */
    int64_t stale_after_ms; /* without a known condition; 0: never stale */
};

enum rule_phase { RULE_INACTIVE, RULE_WAITING, RULE_ACTIVE, RULE_CLEARING };

/* Starts as `{.known_ms = now}`. */
struct rule_state {
    enum rule_phase phase;
    bool stale;
    bool paused;      /* nothing live came since a restart: what is unknown only suspends a wait */
    int64_t since_ms; /* of the phase */
    int64_t known_ms; /* when the condition was last known */
    uint64_t episode; /* rises by one each time the rule becomes active */
};

enum rule_edge {
    RULE_NO_EDGE,
    RULE_FIRED,     /* has become active */
    RULE_CLEARED,   /* has become inactive */
    RULE_STALE,     /* is active, and nothing is known any more */
    RULE_RECOVERED, /* is active still, and that is known again */
};

/* What the expressions say now: true, false or unknown (VALUE_NONE). */
struct rule_condition {
    struct value when;
    struct value until;
    int64_t rested_ms; /* before then it may not become active; 0: it may */
};

/* Takes the rule through what has changed by `now_ms`. */
enum rule_edge rule_step(struct rule_state *state, const struct rule_timing *timing,
                         const struct rule_condition *condition, int64_t now_ms);

/* A wait (`for`, `clear_for`) begins anew the next time that its condition holds. */
void rule_begin_anew(struct rule_state *state, int64_t now_ms);

/* Whether one is under way. */
bool rule_waits(const struct rule_state *state);

/* When rule_step() has something to do without a new reading; RULE_NEVER where nothing. */
int64_t rule_deadline_ms(const struct rule_state *state, const struct rule_timing *timing);

bool rule_is_active(const struct rule_state *state);

#endif
