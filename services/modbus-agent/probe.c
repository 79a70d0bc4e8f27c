#include "probe.h"

#include "bus.h"
#include "clock.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Exception codes: specification, section 7. */
#define ILLEGAL_FUNCTION 1
#define ILLEGAL_ADDRESS 2
#define ILLEGAL_VALUE 3
#define SERVER_FAILURE 4
#define NO_PATH 10
#define NO_ANSWER 11

#define MANY_UNITS 16    /* of so many it is worth while to find out first whether units matter */
#define WITNESS_UNIT 245 /* where three units in a row hardly ever are */
#define WITNESSES 3

/* What goes on while a bus is looked at. */
struct look {
    const struct probe_options *options;
    struct probe *found;
    struct bus *bus;
    int64_t end_ms;
    bool over; /* no time left, or no link */
};

/* Asks once; again where the link went. On a serial line a silent unit's late answer is waited out.
 */
static int ask(struct look *look, unsigned unit, const struct span *span, uint16_t *cells)
{
    const struct bus_settings *settings = look->options->bus;
    char error[128];
    int result;

    if (look->over || clock_now_ms() >= look->end_ms) {
        look->over = true;
        return -ECANCELED;
    }
    result = bus_read(look->bus, unit, span, cells);
    if (bus_link_lost(result)) {
        result = bus_connect(look->bus, error, sizeof error);
        if (result == 0)
            result = bus_read(look->bus, unit, span, cells);
        look->over = bus_link_lost(result);
    }
    if (result == -ETIMEDOUT && settings->endpoint.serial)
        poll(NULL, 0, (int)settings->timeout_ms);
    look->found->garbled += result == -EBADMSG;
    return result;
}

static bool answers(struct look *look, unsigned unit)
{
    const struct span span = {TABLE_HOLDING, look->options->first, 1};
    uint16_t cell;
    int result = ask(look, unit, &span, &cell);

    return result >= 0 && result != NO_PATH && result != NO_ANSWER;
}

/* Adds cells to the last block, or begins a new one. Returns 0 or -ENOMEM. */
static int keep(struct probe_unit *unit, const struct span *span, const uint16_t *cells)
{
    struct probe_block *last = unit->n_blocks ? &unit->blocks[unit->n_blocks - 1] : NULL;
    uint16_t *grown;

    if (!last || last->span.table != span->table || span_end(&last->span) != span->address) {
        struct probe_block *blocks =
            realloc(unit->blocks, (unit->n_blocks + 1) * sizeof *unit->blocks);

        if (!blocks)
            return -ENOMEM;
        unit->blocks = blocks;
        last = &blocks[unit->n_blocks++];
        *last = (struct probe_block){.span = {span->table, span->address, 0}};
    }
    grown = realloc(last->cells, (last->span.count + span->count) * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    memcpy(grown + last->span.count, cells, span->count * sizeof *cells);
    last->cells = grown;
    last->span.count += span->count;
    return 0;
}

/* Reads a span, in halves where it is refused. Returns 0 while the table is worth going on with,
 * -ENODATA where it is not, or -ENOMEM. */
static int read_span(struct look *look, struct probe_unit *unit, const struct span *span)
{
    uint16_t cells[TABLE_BITS_MAX];
    struct span left = *span;
    struct span right = *span;
    int result = ask(look, unit->unit, span, cells);

    if (result == 0)
        return keep(unit, span, cells);
    if (result < 0 || result == ILLEGAL_FUNCTION || result > SERVER_FAILURE)
        return -ENODATA;
    if (span->count == 1)
        return 0;
    left.count = span->count / 2;
    right.address = span_end(&left);
    right.count = span->count - left.count;
    result = read_span(look, unit, &left);
    return result == 0 ? read_span(look, unit, &right) : result;
}

static int read_table(struct look *look, struct probe_unit *unit, enum table table)
{
    unsigned end = look->options->last + 1;
    int rc = 0;

    for (unsigned at = look->options->first; at < end && rc == 0;) {
        unsigned most = table_read_max(table);
        struct span span = {table, at, end - at < most ? end - at : most};

        rc = read_span(look, unit, &span);
        at = span_end(&span);
    }
    return rc == -ENODATA ? 0 : rc;
}

static int read_unit(struct look *look, unsigned number)
{
    static const enum table tables[] = {TABLE_INPUT, TABLE_HOLDING, TABLE_COIL, TABLE_DISCRETE};
    struct probe *found = look->found;
    struct probe_unit *units = realloc(found->units, (found->n_units + 1) * sizeof *units);
    int rc = 0;

    if (!units)
        return -ENOMEM;
    found->units = units;
    units[found->n_units++] = (struct probe_unit){.unit = number};
    fprintf(look->options->progress, "unit %u answers\n", number);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0] && rc == 0; i++)
        rc = read_table(look, &units[found->n_units - 1], tables[i]);
    return rc;
}

/* Many a TCP device answers whatever the unit. */
static bool unit_does_not_matter(struct look *look)
{
    unsigned n = 0;

    if (look->options->bus->endpoint.serial)
        return false;
    for (unsigned i = 0; i < PROBE_UNITS; i++)
        n += look->options->units[i];
    for (unsigned i = 0; i < WITNESSES; i++)
        if (n < MANY_UNITS || !answers(look, WITNESS_UNIT + i))
            return false;
    return true;
}

static int look_at_units(struct look *look)
{
    int rc = 0;

    look->found->any_unit = unit_does_not_matter(look);
    for (unsigned i = 0; i < PROBE_UNITS && rc == 0 && !look->over; i++) {
        if (!look->options->units[i] || !answers(look, i))
            continue;
        rc = read_unit(look, i);
        if (look->found->any_unit)
            break;
    }
    look->found->cut_short = look->over;
    return rc;
}

int probe_bus(struct probe *out, const struct probe_options *options, char *error,
              size_t error_size)
{
    const struct bus_settings *settings = options->bus;
    const struct bus_options bus = {.endpoint = &settings->endpoint,
                                    .tls = &settings->tls,
                                    .timeout_ms = settings->timeout_ms,
                                    .connect_timeout_ms = settings->connect_timeout_ms};
    struct look look = {.options = options, .found = out};
    int rc = bus_open(&look.bus, &bus);

    *out = (struct probe){0};
    snprintf(error, error_size, "out of memory");
    if (rc == 0)
        rc = bus_connect(look.bus, error, error_size);
    look.end_ms = clock_now_ms() + options->limit_ms;
    if (rc == 0)
        rc = look_at_units(&look);
    bus_close(look.bus);
    if (rc != 0)
        probe_free(out);
    return rc;
}

void probe_free(struct probe *probe)
{
    for (size_t i = 0; i < probe->n_units; i++) {
        for (size_t j = 0; j < probe->units[i].n_blocks; j++)
            free(probe->units[i].blocks[j].cells);
        free(probe->units[i].blocks);
    }
    free(probe->units);
    *probe = (struct probe){0};
}
