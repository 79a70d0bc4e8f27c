#include "probe_tool.h"

#include "config_units.h"
#include "probe.h"
#include "probe_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define EXPECTED_MAX 64
#define TIMEOUT_MS 200
#define TIMEOUT_MAX_MS 60000
#define CONNECT_TIMEOUT_MS 3000
#define LIMIT_MS 300000
#define ADDRESSES "0-99"
#define UNIT_MAX 247 /* 248 to 254 are reserved, 0 is for all on a line: Serial Line V1.02, 2.2 */

static int refuse(const char *flag, const char *text, const char *meant)
{
    fprintf(stderr, "modbus-agent: --%s %s: %s is meant\n", flag, text, meant);
    return -EINVAL;
}

/* "17" or "1-10", within 0 … max. Returns where it ends, NULL where it is neither. */
static const char *parse_range(const char *text, unsigned max, unsigned *first, unsigned *last)
{
    char *end;
    unsigned long number;

    if (*text < '0' || *text > '9')
        return NULL;
    number = strtoul(text, &end, 10);
    if (number > max)
        return NULL;
    *first = *last = (unsigned)number;
    if (*end != '-')
        return end;
    text = end + 1;
    if (*text < '0' || *text > '9')
        return NULL;
    number = strtoul(text, &end, 10);
    if (number > max || number < *first)
        return NULL;
    *last = (unsigned)number;
    return end;
}

static int parse_units(bool units[PROBE_UNITS], const char *text, bool serial)
{
    const char *at = text;
    unsigned first;
    unsigned last;

    do {
        at = parse_range(at, PROBE_UNITS - 1, &first, &last);
        if (!at || (*at && *at != ',') || (serial && (first == 0 || last > UNIT_MAX)))
            return refuse("units", text, serial ? "1-247, or 1-10,17" : "0-255, or 1-10,17");
        for (unsigned i = first; i <= last; i++)
            units[i] = true;
    } while (*at++);
    return 0;
}

static int parse_time(int64_t *out_ms, const char *flag, const char *text, int64_t max_ms)
{
    if (text && (config_parse_duration(text, out_ms) != 0 || *out_ms < 1 || *out_ms > max_ms))
        return refuse(flag, text, "a duration such as 200ms or 2m");
    return 0;
}

static int parse_options(struct probe_options *out, const struct probe_words *words)
{
    const char *addresses = words->addresses ? words->addresses : ADDRESSES;
    const char *end = parse_range(addresses, TABLE_SIZE - 1, &out->first, &out->last);
    bool serial = out->bus->endpoint.serial;

    if (!end || *end || out->last - out->first >= PROBE_ADDRESSES_MAX)
        return refuse("addresses", addresses, "0-99, of 4096 addresses at most,");
    out->limit_ms = LIMIT_MS;
    if (parse_time(&out->limit_ms, "limit", words->limit, INT32_MAX) != 0)
        return -EINVAL;
    return parse_units(out->units,
                       words->units ? words->units
                       : serial     ? "1-247"
                                    : "1-247,255",
                       serial);
}

/* The bus of that URL from the settings, or one with defaults. */
static int find_bus(struct bus_settings *out, const struct settings *settings,
                    const struct probe_words *words)
{
    char error[128];

    for (size_t i = 0; settings && i < settings->n_buses; i++)
        if (strcmp(settings->buses[i]->url, words->url) == 0)
            *out = *settings->buses[i];
    if (!out->url) {
        *out = (struct bus_settings){
            .url = words->url, .timeout_ms = TIMEOUT_MS, .connect_timeout_ms = CONNECT_TIMEOUT_MS};
        if (endpoint_parse(&out->endpoint, words->url, error, sizeof error) != 0) {
            fprintf(stderr, "modbus-agent: --probe %s: %s\n", words->url, error);
            return -EINVAL;
        }
        if (out->endpoint.tls) {
            fprintf(stderr,
                    "modbus-agent: --probe %s: its certificates must be said by --config, "
                    "in a bus of just that URL\n",
                    words->url);
            return -EINVAL;
        }
    }
    return parse_time(&out->timeout_ms, "timeout", words->timeout, TIMEOUT_MAX_MS);
}

static int run(const struct probe_options *options, const struct probe_report *report, FILE *out)
{
    struct probe found;
    char error[128];
    bool some;
    int rc = probe_bus(&found, options, error, sizeof error);

    if (rc != 0) {
        fprintf(stderr, "modbus-agent: %s: %s\n", report->bus->url, error);
        return rc == -ENOMEM ? SERVICE_INTERNAL : SERVICE_UNAVAILABLE;
    }
    rc = probe_report(report, &found, out);
    some = found.n_units > 0;
    probe_free(&found);
    if (rc < 0)
        return SERVICE_INTERNAL;
    if (fflush(out) != 0)
        return SERVICE_IO;
    return some && rc == 0 ? SERVICE_OK : SERVICE_UNAVAILABLE;
}

int probe_tool(const struct settings *settings, const struct probe_words *words, FILE *out)
{
    struct expectation expected[EXPECTED_MAX];
    struct bus_settings bus = {0};
    struct probe_options options = {.bus = &bus, .progress = stderr};
    struct probe_report report = {.bus = &bus, .expected = expected, .all = words->all};
    int n = words->expect ? expect_parse(expected, EXPECTED_MAX, words->expect) : 0;

    if (n < 0) {
        refuse("expect", words->expect, "229.0±5, or 229.0+-5,50±1%");
        return SERVICE_USAGE;
    }
    report.n_expected = (size_t)n;
    if (find_bus(&bus, settings, words) != 0 || parse_options(&options, words) != 0)
        return SERVICE_USAGE;
    return run(&options, &report, out);
}
