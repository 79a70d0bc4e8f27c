/* Alerts that fire though nobody can end them any more: their rule is gone or selects their device
 * no more, and what the memory says of them is kept here; or it is there but alerts, or commands,
 * no more, which its instance knows. All are resolved whenever messages can go out, until they came
 * back from the broker. Pure. */
#ifndef ORPHANS_H
#define ORPHANS_H

#include "engine.h"

struct orphan;
struct instance;

struct orphans { /* starts as `= {0}` */
    struct orphan **buckets;
    size_t n;
};
void orphans_free(struct orphans *orphans);

/* Takes what the memory says, its strings copied, in place of what was there for this rule and
 * device; an empty one (no alert fires) takes that away. `why` is a constant, for people. Returns 0
 * or -ENOMEM. */
int orphans_set(struct orphans *orphans, const struct engine_memory *memory, const char *why);

/* Resolves them all, as of now; they stay. */
void orphans_tell(struct engine *engine);

/* The same for the alerts of an instance that its rule has no use for any more. */
void orphans_tell_of(struct engine *engine, const struct instance *instance);

/* What is left to remember. */
void orphans_remember(const struct orphans *orphans, engine_memory_fn *on_memory, void *self);

#endif
