/* The texts that a device's numbers stand for: 2 is "running". Pure, but for labels_configure(). */
#ifndef LABELS_H
#define LABELS_H

#include "config.h"

#include <stddef.h>

struct label {
    double number;    /* as the device has it */
    const char *text; /* borrowed from the configuration */
};

struct labels {
    struct label *items; /* owned; NULL where numbers stand for themselves */
    size_t n;
};

/* Reads "names": {"0": "off", "1": "on"}. Returns 0 or -ENOMEM. */
int labels_configure(struct labels *out, struct config_node *node);
void labels_free(struct labels *labels);

const char *labels_find(const struct labels *labels, double number); /* NULL where it has none */

#endif
