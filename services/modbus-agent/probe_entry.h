/* A bus as the configuration has it, made of what was picked from a probe. Pure. */
#ifndef PROBE_ENTRY_H
#define PROBE_ENTRY_H

#include "buffer.h"
#include "settings.h"

struct probe_choice {
    unsigned unit;
    struct span span;
    struct encoding encoding;
    double divide;
};

/* Appends a whole configuration with that one bus: a device for each unit, a point for each choice.
 * Choices of one unit lie together. Whether memory sufficed is the buffer's to say. */
void probe_entry_write(struct buffer *out, const struct bus_settings *bus,
                       const struct probe_choice *choices, size_t n);

#endif
