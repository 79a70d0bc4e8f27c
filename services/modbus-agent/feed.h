/* What feeds a device's own watchdog (watchdog.h) over Modbus: a coil or a holding register that is
 * written each period with a counter, with 1 and 0 in turn, or with the same number. Nothing is
 * read back: what the device makes of it is the device's to know. Pure. */
#ifndef FEED_H
#define FEED_H

#include "config.h"
#include "table.h"
#include "watchdog.h"

#include <stdint.h>

enum feed_kind { FEED_COUNTER, FEED_TOGGLE, FEED_CONSTANT };

struct feed_settings {
    struct watchdog_settings watchdog;
    struct span span; /* one cell */
    enum feed_kind kind;
    uint16_t constant;
};

/* Reads "table" ("holding"; "coil"), "address", "write" ("counter", "toggle" or a number; for a
 * coil "toggle" is the default, "counter" for a register) and what watchdog_configure() does. */
void feed_configure(struct feed_settings *out, struct config_node *node);

/* What to write after `last`, the first time after 0. A counter leaves out 0, which many devices
 * take for off. */
uint16_t feed_next(const struct feed_settings *settings, uint16_t last);

#endif
