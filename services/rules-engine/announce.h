/* Decisions as they are published: a topic and a payload each. The same for a broker and for
 * replay. */
#ifndef ANNOUNCE_H
#define ANNOUNCE_H

#include "buffer.h"
#include "engine.h"

#include <stdbool.h>

struct announcement {
    const char *topic;
    const char *payload; /* JSON, `size` bytes before the NUL */
    size_t size;
    bool retained;
    int64_t ttl_ms;   /* of a command; 0 for all else */
    const char *name; /* of the rule or derived value */
};

/* Everything borrowed for the call. */
typedef void announce_fn(void *self, const struct announcement *announcement);

struct announcer {    /* starts as `{.root = …, .publish = …, .self = …}` */
    const char *root; /* borrowed */
    announce_fn *publish;
    void *self;
    uint64_t n_failed; /* decisions that could not be written, for want of memory or of room */
    struct buffer payload;
};

void announcer_free(struct announcer *announcer);

/* The engine's handlers of these names; `self` is the announcer. */
void announce_command(void *self, const struct engine_command *command);
void announce_alert(void *self, const struct engine_place *place, const struct alert *alert);
void announce_reading(void *self, const struct engine_place *place, const char *measurement,
                      const char *derived, const struct reading *reading);

#endif
