/* A board's birth document: its points and actuators (contract, section 1; meta.h). Pure. */
#ifndef STATION_META_H
#define STATION_META_H

#include "buffer.h"
#include "settings.h"

#include <stdint.h>

/* Appends it. Returns 0 or -ENOMEM. */
int station_meta(struct buffer *out, const struct board_config *config, const char *agent,
                 int64_t time_ms);

#endif
