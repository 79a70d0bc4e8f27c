/* The line that feeds a board's own watchdog (watchdog.h). It goes out like a write: when the board
 * is not asked anything else, ahead of polls, and not while the breaker is open. */
#ifndef FEED_H
#define FEED_H

#include "config.h"
#include "watchdog.h"

struct feed_settings {
    struct watchdog_settings watchdog;
    const char *line;   /* borrowed */
    const char *expect; /* how the reply to it begins; borrowed; NULL: none comes */
};

/* Reads "line", "expect" and what watchdog_configure() does. */
void feed_configure(struct feed_settings *out, struct config_node *node);

#endif
