/* Readings in the plain form that agents write, read in one go without a tree: a tenth of the time.
 * What is out of the ordinary, good or bad (escapes, exponents, unknown keys, many values, errors
 * of any kind), is left to reading_json.c, which tells. Part of reading.h. Pure. */
#ifndef READING_PLAIN_H
#define READING_PLAIN_H

#include "reading.h"

/* As reading_decode(). Returns 1 where the payload is plain, and all was handed over; 0 where it is
 * not, and nothing was; -ENOMEM. */
int reading_plain_decode(const void *payload, size_t size, reading_fn *on_reading, void *self);

#endif
