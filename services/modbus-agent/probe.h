/* Looks what is on a bus that nobody has described: which units answer, and what can be read of
 * them. Blocking. Only ever reads (functions 1 to 4). */
#ifndef PROBE_H
#define PROBE_H

#include "settings.h"
#include "table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_UNITS 256
#define PROBE_ADDRESSES_MAX 4096 /* that one probe looks at in each table */

struct probe_options {
    const struct bus_settings *bus; /* borrowed; its devices do not matter */
    bool units[PROBE_UNITS];        /* to be looked for */
    unsigned first;                 /* addresses, both inclusive */
    unsigned last;
    int64_t limit_ms; /* for all of it: what is not seen by then stays unseen */
    FILE *progress;   /* borrowed; sentences on what goes on */
};

/* Neighbouring cells that could be read. */
struct probe_block {
    struct span span;
    uint16_t *cells; /* owned */
};

struct probe_unit {
    unsigned unit;
    struct probe_block *blocks; /* owned; by table, then by address */
    size_t n_blocks;
};

struct probe {
    struct probe_unit *units; /* owned */
    size_t n_units;
    unsigned garbled; /* answers that made no sense */
    bool any_unit;    /* the server answers whatever the unit: only the first was looked at */
    bool cut_short;   /* the time was over, or the link gone */
};

/* Returns 0, or -errno with a sentence in `error`: no connection. */
int probe_bus(struct probe *out, const struct probe_options *options, char *error,
              size_t error_size);
void probe_free(struct probe *probe);

#endif
