/* From what InfluxDB's /query says (1.x "Query data with the InfluxDB API"; 2.x and 3.x answer in
 * the same form) to the contract's answer, proto/stats-answer.schema.json. Pure. */
#ifndef STATS_ANSWER_H
#define STATS_ANSWER_H

#include "buffer.h"
#include "stats_query.h"

#include <stddef.h>

/* Appends {"result":"ok","series":{"temperature":[[ms,23.4],…]}}: empty ranges are left out, and so
 * are fields without a number. Returns 0; -EREMOTEIO where the store says that it failed, -EBADMSG
 * where what it says is not understood, both with a sentence in `error`; -ENOMEM. Nothing is
 * appended then. */
int stats_answer_convert(const struct buffer *body, enum stats_function function,
                         struct buffer *out, char *error, size_t error_size);

/* Appends {"result":"failed","reason":reason,"message":message}. Returns 0 or -ENOMEM. */
int stats_answer_failed(const char *reason, const char *message, struct buffer *out);

#endif
