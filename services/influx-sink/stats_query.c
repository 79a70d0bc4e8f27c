#include "stats_query.h"

#include "influxql.h"
#include "jsonr.h"

#include <errno.h>
#include <string.h>

#define SECOND_MS 1000
#define HOUR_MS (3600 * (int64_t)SECOND_MS)
#define HOURS_MAX 8784 /* a year of 366 days */
#define EVERY_DIGITS 9 /* of "every", as the schema has it */

static const char *const function_names[] = {
    [STATS_MEAN] = "mean",    [STATS_MIN] = "min",     [STATS_MAX] = "max",
    [STATS_SUM] = "sum",      [STATS_COUNT] = "count", [STATS_MEDIAN] = "median",
    [STATS_STDDEV] = "stddev"};

const char *stats_function_name(enum stats_function function)
{
    return function_names[function];
}

static int read_name(const struct jsonr *in, const char *key, char out[TOPIC_NAME_SIZE])
{
    const char *name = NULL;
    int error = jsonr_text(in, key, JSONR_REQUIRED, &name);

    if (error)
        return error;
    if (!topic_name_valid(name))
        return jsonr_fail(in, key, "a name is 1 to 64 of a-z, 0-9, _ and -");
    strcpy(out, name);
    return 0;
}

static int read_range(const struct jsonr *in, int64_t *out)
{
    double hours = 0;
    int error = jsonr_number(in, "hours", JSONR_REQUIRED, &hours);

    if (error)
        return error;
    if (!(hours > 0 && hours <= HOURS_MAX))
        return jsonr_fail(in, "hours", "more than 0 and at most %d is meant", HOURS_MAX);
    *out = (int64_t)(hours * (double)HOUR_MS);
    if (*out == 0)
        *out = 1;
    return 0;
}

/* "15m" → ms; 0 where it is none: [1-9][0-9]{0,8}(s|m|h|d). */
static int64_t parse_every(const char *text)
{
    static const char units[] = "smhd";
    static const int64_t unit_ms[] = {SECOND_MS, 60 * SECOND_MS, HOUR_MS, 24 * HOUR_MS};
    size_t digits = strspn(text, "0123456789");
    const char *unit;
    int64_t number = 0;

    if (digits == 0 || digits > EVERY_DIGITS || text[0] == '0' || strlen(text) != digits + 1)
        return 0;
    for (size_t i = 0; i < digits; i++)
        number = 10 * number + (text[i] - '0');
    unit = strchr(units, text[digits]);
    return unit ? number * unit_ms[unit - units] : 0;
}

static int read_every(const struct jsonr *in, int64_t *out)
{
    const char *text = "1h";
    int error = jsonr_text(in, "every", JSONR_OPTIONAL, &text);

    if (error)
        return error;
    *out = parse_every(text);
    return *out > 0 ? 0 : jsonr_fail(in, "every", "a whole number and s, m, h or d is meant: 15m");
}

static int read_function(const struct jsonr *in, enum stats_function *out)
{
    const char *name = function_names[STATS_MEAN];
    int error = jsonr_text(in, "function", JSONR_OPTIONAL, &name);

    if (error)
        return error;
    for (size_t i = 0; i < sizeof(function_names) / sizeof(*function_names); i++)
        if (strcmp(name, function_names[i]) == 0) {
            *out = (enum stats_function)i;
            return 0;
        }
    return jsonr_fail(in, "function", "mean, min, max, sum, count, median or stddev is meant");
}

static int read_members(struct stats_request *out, const struct jsonr *in)
{
    int error = read_name(in, "location", out->location);

    if (!error)
        error = read_name(in, "device", out->device);
    if (!error)
        error = read_name(in, "measurement", out->measurement);
    if (!error)
        error = read_range(in, &out->range_ms);
    if (!error)
        error = read_every(in, &out->every_ms);
    return error ? error : read_function(in, &out->function);
}

static int check_limits(const struct stats_request *request, const struct stats_limits *limits,
                        const struct jsonr *in)
{
    int64_t rows = request->range_ms / request->every_ms + 2; /* cut at both ends */

    if (request->range_ms > limits->range_ms)
        jsonr_fail(in, "hours", "at most %lld are answered here",
                   (long long)(limits->range_ms / HOUR_MS));
    else if (rows > limits->rows)
        jsonr_fail(in, "every", "makes up to %lld points; at most %lld are answered here",
                   (long long)rows, (long long)limits->rows);
    else
        return 0;
    return -E2BIG;
}

int stats_request_decode(struct stats_request *out, const void *payload, size_t size,
                         const struct stats_limits *limits, char *error, size_t error_size)
{
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    int result = jsonr_parse_object(&in, payload, size);

    if (result)
        return result;
    *out = (struct stats_request){0};
    result = read_members(out, &in);
    if (!result)
        result = check_limits(out, limits, &in);
    jsonr_free(in.object);
    return result;
}

int stats_query_build(const struct stats_request *request, int64_t time_ms, struct buffer *out)
{
    buffer_format(out, "SELECT %s(*) FROM ", stats_function_name(request->function));
    influxql_identifier(out, request->measurement);
    buffer_text(out, " WHERE \"location\" = ");
    influxql_string(out, request->location);
    buffer_text(out, " AND \"device_id\" = ");
    influxql_string(out, request->device);
    buffer_text(out, " AND time > ");
    influxql_ms(out, time_ms - request->range_ms);
    buffer_text(out, " AND time <= ");
    influxql_ms(out, time_ms);
    buffer_text(out, " GROUP BY time(");
    influxql_ms(out, request->every_ms);
    buffer_text(out, ") fill(none)");
    return out->failed ? -ENOMEM : 0;
}
