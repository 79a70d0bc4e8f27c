/* A device as the loop has it: what its bus's thread answers becomes readings, status, results and
 * states; what is commanded becomes writes. On the loop. */
#ifndef UNIT_H
#define UNIT_H

#include "answer.h"
#include "health.h"
#include "mqtt.h"
#include "sample.h"
#include "settings.h"
#include "worker.h"

#include <stdbool.h>

struct unit;

struct unit_options {
    const struct unit_settings *settings; /* all borrowed */
    size_t index;                         /* of the unit in its bus's settings */
    const struct holes *holes;            /* what it is known to refuse; copied */
    struct worker *worker;
    struct mqtt *mqtt;
    struct backlog *backlog;
    struct health *health;
    const char *state_dir;
    struct sample *sample; /* for its memory: one serves all units */
};

/* Publishes its meta and subscribes to its commands. Returns 0 or -errno. */
int unit_open(struct unit **out, const struct unit_options *options);
void unit_close(struct unit *unit);

/* Before unit_close(), where the agent goes on: `next` is what the device is from now on, NULL
 * where there is no such device any more. Commands that wait are answered, and what it will not
 * publish again is taken out of the broker. */
void unit_part(struct unit *unit, const struct unit_settings *next);

/* Its thread has ended: what is commanded from here on waits for unit_move(). The thread's last
 * answers may still come. */
void unit_halt(struct unit *unit);

/* To another thread, where it has another index; after unit_halt() and all answers. The status that
 * it has stands, and commands wait, until that thread has said whether there is a link. */
void unit_move(struct unit *unit, struct worker *worker, size_t index);

const struct unit_settings *unit_settings_of(const struct unit *unit); /* borrowed */

void unit_take_round(struct unit *unit, const struct answer *answer);
void unit_take_write(struct unit *unit, const struct answer *answer);

void unit_take_feed(struct unit *unit, const struct answer *answer);

/* What another device of the same unit found out about their breaker. */
void unit_take_breaker(struct unit *unit, enum breaker_state breaker, int64_t time_ms);

/* What the unit was found to refuse, copied: published in its meta. */
void unit_take_holes(struct unit *unit, const struct holes *holes);

/* The bus's link came (NULL) or went, with the reason. */
void unit_take_link(struct unit *unit, const char *down, int64_t time_ms);

void unit_announce(struct unit *unit); /* everything retained again: on link up to the broker */
void unit_refuse_commands(struct unit *unit);  /* from now on: before the end */
bool unit_is_writing(const struct unit *unit); /* or has a safe value to write yet */

#endif
