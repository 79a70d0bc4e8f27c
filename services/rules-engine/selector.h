/* Which rules and derived values select a series, and whose name is whose: an index, so that a new
 * device costs what its own rules do, not what all rules do. Pure. */
#ifndef SELECTOR_H
#define SELECTOR_H

#include "settings.h"

struct selector;

/* One of the two is not NULL. */
struct selected {
    const struct rule *rule;
    const struct derived *derived;
};

int selector_open(struct selector **out, const struct settings *settings); /* 0 or -ENOMEM */
void selector_close(struct selector *selector);

/* Those that select the measurement of a device: derived values first, then rules, each in the
 * order of the settings. Returns their number; `*found` is borrowed until the next call. */
size_t selector_find(struct selector *selector, const char *location, const char *device,
                     const char *measurement, const struct selected **found);

/* The first rule of that name that selects the device; NULL where there is none. */
const struct rule *selector_rule(struct selector *selector, const char *location,
                                 const char *device, const char *name);

#endif
