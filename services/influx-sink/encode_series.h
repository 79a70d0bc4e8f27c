/* The sink's ledger on its way to the store: "series" of a health message
 * (proto/health.schema.json) as points of measurement "health", one a device and measurement: tags
 * device_id, location and measurement; fields received, duplicate, missing, late, restarts. Pure.
 */
#ifndef ENCODE_SERIES_H
#define ENCODE_SERIES_H

#include "jsonr.h"
#include "lines.h"

#include <stdint.h>

/* Appends them, none where `in` has no "series". Returns 0 or -EBADMSG with a sentence in
 * in->error. */
int encode_series(struct lines *lines, const struct jsonr *in, int64_t ts_ms);

#endif
