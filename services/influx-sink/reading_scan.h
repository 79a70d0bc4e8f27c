/* Number and time of each reading in a payload (contract, section 2.1), found without building
 * anything: for the receiving thread, which has no time for more. Pure.
 *
 * It looks at the form only as far as it must to find its way; what the payload's values are worth
 * is found out when it is encoded. */
#ifndef READING_SCAN_H
#define READING_SCAN_H

#include <stddef.h>
#include <stdint.h>

typedef void reading_scan_fn(void *self, uint64_t seq, int64_t ts_ms);

/* Returns the number of readings, each handed over in order; 0, and nothing was handed over, where
 * the payload has not the form of an object, or an array of objects, each with a whole "ts" and
 * "seq". */
size_t reading_scan(const void *payload, size_t size, reading_scan_fn *on_reading, void *self);

#endif
