/* A question for statistics (contract, section 2.5; proto/stats-request.schema.json) and what it is
 * in InfluxQL. Pure.
 *
 * Nothing of the request reaches the query but three names, which are [a-z0-9_-]{1,64} and quoted
 * all the same, and numbers that were parsed and are written anew. */
#ifndef STATS_QUERY_H
#define STATS_QUERY_H

#include "buffer.h"
#include "topic.h"

#include <stddef.h>
#include <stdint.h>

enum stats_function {
    STATS_MEAN,
    STATS_MIN,
    STATS_MAX,
    STATS_SUM,
    STATS_COUNT,
    STATS_MEDIAN,
    STATS_STDDEV
};
const char *stats_function_name(enum stats_function function);

struct stats_request {
    char location[TOPIC_NAME_SIZE];
    char device[TOPIC_NAME_SIZE];
    char measurement[TOPIC_NAME_SIZE];
    int64_t range_ms; /* back from now */
    int64_t every_ms; /* width of a point; the points begin at whole multiples of it since 1970 */
    enum stats_function function;
};

struct stats_limits {
    int64_t range_ms;
    int64_t rows; /* points of one field */
};

/* Returns 0; -EBADMSG for what is no request; -E2BIG beyond the limits; -ENOMEM; with a sentence in
 * `error` that says what and where. */
int stats_request_decode(struct stats_request *out, const void *payload, size_t size,
                         const struct stats_limits *limits, char *error, size_t error_size);

/* Appends the SELECT, for a clock that says `time_ms`. Its columns are time and, for each numeric
 * field, <function>_<field>. Returns 0 or -ENOMEM. */
int stats_query_build(const struct stats_request *request, int64_t time_ms, struct buffer *out);

#endif
