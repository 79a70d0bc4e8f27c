#include "tools.h"

#include "bus.h"
#include "clock.h"
#include "cost.h"
#include "forecast.h"
#include "inquiry.h"
#include "number.h"
#include "probe_tool.h"
#include "sample.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>

/* Prints a group's requests. True: its period can be met. */
static bool plan_group(const struct bus_settings *bus, const struct unit_settings *unit,
                       const struct group_settings *group, FILE *out)
{
    bool met = forecast_meets(bus, group);

    fprintf(out, "  unit %u %s/%s %s every %lld ms: %zu points in %zu requests, about %.1f ms%s\n",
            unit->unit, unit->location, unit->device, group->measurement,
            (long long)group->period_ms, group->n_points, group->plan.n_requests,
            forecast_group_ms(bus, group), met ? "" : ": this period CANNOT be met");
    for (size_t i = 0; i < group->plan.n_requests; i++) {
        const struct span *span = &group->plan.requests[i].span;

        fprintf(out, "    %s %u to %u (%u), about %.1f ms\n", table_names[span->table],
                span->address, span_end(span) - 1, span->count,
                cost_read_us(&bus->endpoint, span) / 1000);
    }
    return met;
}

/* True: all its periods can be met. */
static bool plan_unit(const struct bus_settings *bus, const struct unit_settings *unit, FILE *out)
{
    const struct feed_settings *feed = &unit->feed;
    bool met = true;

    for (size_t i = 0; i < unit->n_groups; i++)
        met = plan_group(bus, unit, &unit->groups[i], out) && met;
    if (feed->watchdog.period_ms > 0)
        fprintf(out, "  unit %u %s/%s watchdog every %lld ms: %s %u, about %.1f ms\n", unit->unit,
                unit->location, unit->device, (long long)feed->watchdog.period_ms,
                table_names[feed->span.table], feed->span.address,
                cost_write_us(&bus->endpoint, &feed->span) / 1000);
    return met;
}

/* True: all periods can be met. */
static bool plan_bus(const struct bus_settings *bus, FILE *out)
{
    struct forecast forecast = forecast_bus(bus);
    bool met = forecast.busy <= 1;

    fprintf(out, "%s\n", bus->url);
    for (size_t i = 0; i < bus->n_units; i++)
        met = plan_unit(bus, bus->units[i], out) && met;
    fprintf(out, "  all once: about %.1f ms\n", forecast.cycle_ms);
    fprintf(out, "  busy about %.1f %% of the time%s\n", forecast.busy * 100,
            met ? "" : ": these periods CANNOT be met");
    if (forecast.write_ms > 0)
        fprintf(out,
                "  a command is written and read back within %.1f ms, %.1f ms while a unit is "
                "silent\n",
                forecast.write_ms, forecast.write_silent_ms);
    if (isinf(forecast.late_silent_ms))
        fputs("  while a unit is silent the others have no time left\n", out);
    else if (forecast.late_silent_ms > 0)
        fprintf(out, "  while a unit is silent the others are asked at most %.1f ms late\n",
                forecast.late_silent_ms);
    return met;
}

int tools_plan(const struct settings *settings, FILE *out)
{
    int code = SERVICE_OK;

    for (size_t i = 0; i < settings->n_buses; i++)
        if (!plan_bus(settings->buses[i], out))
            code = SERVICE_CONFIG;
    return fflush(out) == 0 ? code : SERVICE_IO;
}

static void print_raw(const struct span *span, const uint16_t *cells, FILE *out)
{
    for (unsigned i = 0; i < span->count; i++)
        fprintf(out, table_is_bits(span->table) ? "%x" : "%04x", (unsigned)cells[i]);
}

static void print_value(const struct value *value, FILE *out)
{
    char number[NUMBER_SIZE];

    switch (value->type) {
    case VALUE_NONE:
        break;
    case VALUE_BOOL:
        fputs(value->boolean ? "true" : "false", out);
        break;
    case VALUE_NUMBER:
        number_format(number, value->number);
        fputs(number, out);
        break;
    case VALUE_TEXT:
        fprintf(out, "\"%s\"", value->text);
        break;
    }
}

/* One line: device, measurement, name, table, address, raw, value or fault, unit. True: it was
 * good. */
static bool print_point(const struct unit_settings *unit, const struct group_settings *group,
                        size_t index, const uint16_t *cells, int result, FILE *out)
{
    const struct group_point *point = &group->points[index];
    char text[DECODE_TEXT_SIZE];
    struct reading reading = {0};
    bool good;

    fprintf(out, "%s/%s\t%s\t%s\t%s\t%u\t", unit->location, unit->device, group->measurement,
            point->point.name, table_names[point->span.table], point->span.address);
    if (result != 0) {
        fprintf(out, "-\t%s\t\n", bus_reason(result));
        return false;
    }
    cells += point->first_cell;
    print_raw(&point->span, cells, out);
    sample_add(point, &reading, cells, text);
    fputc('\t', out);
    good = reading.n_fields == 1;
    if (good)
        print_value(&reading.fields[0].value, out);
    else
        fputs(reading.n_faults ? reading.faults[0].reason : "missing", out);
    fprintf(out, "\t%s\n", point->point.unit ? point->point.unit : "");
    reading_free(&reading);
    return good;
}

/* Asks once more where the link went, since the other side may drop a connection it has had enough
 * of. On a serial line a silent unit's late answer is waited out. */
static int read_span(struct bus *bus, const struct bus_settings *settings, unsigned unit,
                     const struct span *span, uint16_t *cells)
{
    char error[128];
    int result = bus_read(bus, unit, span, cells);

    if (result == -ETIMEDOUT && settings->endpoint.serial)
        poll(NULL, 0, (int)settings->timeout_ms);
    if (!bus_link_lost(result))
        return result;
    result = bus_connect(bus, error, sizeof error);
    return result == 0 ? bus_read(bus, unit, span, cells) : result;
}

static bool once_group(struct bus *bus, const struct bus_settings *settings,
                       const struct unit_settings *unit, const struct group_settings *group,
                       FILE *out)
{
    uint16_t *cells = calloc(group->n_cells, sizeof *cells);
    int *results = calloc(group->n_points, sizeof *results);
    struct holes holes = {0};
    struct inquiry inquiry = {0};
    bool good = cells && results && inquiry_open(&inquiry, group, &holes) == 0;

    for (size_t i = 0; i < inquiry.plan.n_requests; i++) {
        uint16_t answer[TABLE_BITS_MAX];
        int result = read_span(bus, settings, unit->unit, &inquiry.plan.requests[i].span, answer);

        while (inquiry_take(&inquiry, i, result, answer, results, cells))
            result = read_span(bus, settings, unit->unit, &inquiry.plan.requests[i].span, answer);
    }
    for (size_t i = 0; inquiry.group && i < group->n_points; i++)
        good = print_point(unit, group, i, cells, results[i], out) && good;
    inquiry_close(&inquiry);
    holes_free(&holes);
    free(results);
    free(cells);
    return good;
}

static bool once_bus(const struct bus_settings *settings, FILE *out)
{
    struct bus_options options = {.endpoint = &settings->endpoint,
                                  .tls = &settings->tls,
                                  .timeout_ms = settings->timeout_ms,
                                  .connect_timeout_ms = settings->connect_timeout_ms};
    struct bus *bus;
    char error[128];
    bool good = true;
    int64_t begun_ms;

    if (bus_open(&bus, &options) != 0)
        return false;
    if (bus_connect(bus, error, sizeof error) != 0) {
        fprintf(stderr, "modbus-agent: %s: %s\n", settings->url, error);
        bus_close(bus);
        return false;
    }
    begun_ms = clock_now_ms();
    for (size_t i = 0; i < settings->n_units; i++)
        for (size_t j = 0; j < settings->units[i]->n_groups; j++)
            if (!once_group(bus, settings, settings->units[i], &settings->units[i]->groups[j], out))
                good = false;
    fprintf(stderr, "%s: read in %lld ms\n", settings->url, (long long)(clock_now_ms() - begun_ms));
    bus_close(bus);
    return good;
}

int tools_once(const struct settings *settings, FILE *out)
{
    bool good = true;

    fputs("device\tmeasurement\tname\ttable\taddress\traw\tvalue\tunit\n", out);
    for (size_t i = 0; i < settings->n_buses; i++)
        if (!once_bus(settings->buses[i], out))
            good = false;
    if (fflush(out) != 0)
        return SERVICE_IO;
    return good ? SERVICE_OK : SERVICE_UNAVAILABLE;
}

static int run_probe(const struct settings *settings, const struct service_arguments *arguments)
{
    const struct probe_words words = {.url = service_argument(arguments, "probe"),
                                      .units = service_argument(arguments, "units"),
                                      .addresses = service_argument(arguments, "addresses"),
                                      .expect = service_argument(arguments, "expect"),
                                      .timeout = service_argument(arguments, "timeout"),
                                      .limit = service_argument(arguments, "limit"),
                                      .all = service_argument(arguments, "all") != NULL};

    return probe_tool(settings, &words, stdout);
}

int tools_run(const void *settings, const struct service_arguments *arguments)
{
    signal(SIGPIPE, SIG_IGN); /* as while serving: a peer that went is an error of write() */
    if (service_argument(arguments, "probe"))
        return run_probe(settings, arguments);
    if (!settings) {
        fputs("modbus-agent: --once and --plan need --config FILE or FIELDLINE_CONFIG\n", stderr);
        return SERVICE_USAGE;
    }
    if (service_argument(arguments, "plan"))
        return tools_plan(settings, stdout);
    return tools_once(settings, stdout);
}
