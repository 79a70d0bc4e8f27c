#include "station.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const table_names[] = {[PDU_COILS] = "coil",
                                          [PDU_DISCRETE] = "discrete",
                                          [PDU_HOLDING] = "holding",
                                          [PDU_INPUT] = "input"};

const char *station_table_name(enum pdu_table table)
{
    return table_names[table];
}

static void unit_on_write(void *self, enum pdu_table table, uint16_t address, uint16_t value)
{
    struct station_unit *unit = self;

    if (unit->station->on_write)
        unit->station->on_write(unit->station->self, unit->id, table, address, value);
}

static struct station_unit *station_find(struct station *station, unsigned long id)
{
    for (size_t i = 0; i < station->n_units; i++)
        if (station->units[i].id == id)
            return &station->units[i];
    return NULL;
}

int station_init(struct station *station, const char *ids, uint64_t seed)
{
    *station = (struct station){.noise = {.state = seed}};
    for (const char *at = ids;; at++) {
        struct station_unit *unit = &station->units[station->n_units];
        char *end;
        unsigned long id = strtoul(at, &end, 10);

        if (end == at || id < 1 || id > 247 || station_find(station, id) ||
            station->n_units == STATION_UNITS_MAX)
            return -EINVAL;
        plc_init(&unit->plc, seed + station->n_units++);
        unit->plc.map.on_write = unit_on_write;
        unit->plc.map.self = unit;
        unit->station = station;
        unit->id = (uint8_t)id;
        at = end;
        if (*at != ',')
            return *at ? -EINVAL : 0;
    }
}

void station_step(struct station *station)
{
    for (size_t i = 0; i < station->n_units; i++)
        plc_step(&station->units[i].plc);
}

void station_feed(struct station *station, uint8_t id, int64_t now_ms)
{
    struct station_unit *unit = station_find(station, id);

    if (unit)
        plc_feed(&unit->plc, now_ms);
}

static void station_broadcast(struct station *station, const uint8_t *pdu, size_t size)
{
    uint8_t unused[PDU_MAX];

    for (size_t i = 0; i < station->n_units; i++)
        if (!station->units[i].silent)
            pdu_answer(&station->units[i].plc.map, pdu, size, unused);
}

int station_ask(struct station *station, uint8_t id, const uint8_t *pdu, size_t size,
                struct station_answer *out)
{
    struct station_unit *unit = station_find(station, id);

    out->size = 0;
    if (id == 0)
        return station_broadcast(station, pdu, size), 0;
    if (!unit)
        return -ENOENT;
    if (unit->silent || size == 0)
        return 0;
    out->late_ms = unit->late_ms;
    if (unit->exception)
        out->size = pdu_exception(pdu[0], unit->exception, out->pdu);
    else
        out->size = pdu_answer(&unit->plc.map, pdu, size, out->pdu);
    if (station->drop > 0 && noise_between(&station->noise, 0, 1) < station->drop)
        out->size = 0;
    return 0;
}

/* Splits "UNIT:TABLE" or "TABLE". */
static struct station_unit *find_target(struct station *station, const char *text,
                                        enum pdu_table *table)
{
    const char *colon = strchr(text, ':');
    const char *name = colon ? colon + 1 : text;
    struct station_unit *unit =
        colon ? station_find(station, strtoul(text, NULL, 10)) : &station->units[0];

    for (size_t i = 0; i < sizeof table_names / sizeof *table_names; i++) {
        if (strcmp(name, table_names[i]) == 0) {
            *table = (enum pdu_table)i;
            return unit;
        }
    }
    return NULL;
}

static int say(char said[STATION_SAID_SIZE], const char *text)
{
    snprintf(said, STATION_SAID_SIZE, "%s", text);
    return strncmp(text, "error", 5) == 0 ? -EINVAL : 0;
}

static int get_value(struct station_unit *unit, enum pdu_table table, uint16_t address,
                     char said[STATION_SAID_SIZE])
{
    const uint8_t functions[] = {
        [PDU_COILS] = 1, [PDU_DISCRETE] = 2, [PDU_HOLDING] = 3, [PDU_INPUT] = 4};
    const uint8_t request[] = {functions[table], (uint8_t)(address >> 8), (uint8_t)address, 0, 1};
    uint8_t answer[PDU_MAX];
    size_t size = pdu_answer(&unit->plc.map, request, sizeof request, answer);

    if (answer[0] & 0x80)
        return say(said, "error: no such address");
    snprintf(said, STATION_SAID_SIZE, "%d", size == 4 ? answer[2] << 8 | answer[3] : answer[2]);
    return 0;
}

static int control_value(struct station *station, const char *line, char said[STATION_SAID_SIZE])
{
    char verb[8], target[32];
    enum pdu_table table = PDU_COILS;
    struct station_unit *unit;
    unsigned address, value = 0;
    int n = sscanf(line, "%7s %31s %u %u", verb, target, &address, &value);
    int rc;

    if (n != (strcmp(verb, "set") == 0 ? 4 : 3) || address > UINT16_MAX || value > UINT16_MAX)
        return say(said, "error: expected set TABLE ADDRESS VALUE, free or get TABLE ADDRESS");
    unit = find_target(station, target, &table);
    if (!unit)
        return say(said, "error: no such unit or table; tables are coil, discrete, holding, input");
    if (strcmp(verb, "get") == 0)
        return get_value(unit, table, (uint16_t)address, said);
    if (strcmp(verb, "set") == 0)
        rc = plc_set(&unit->plc, table, (uint16_t)address, (uint16_t)value);
    else
        rc = plc_free(&unit->plc, table, (uint16_t)address);
    return say(said, rc < 0 ? "error: no such address" : "ok");
}

static void clear_faults(struct station *station)
{
    station->drop = 0;
    for (size_t i = 0; i < station->n_units; i++) {
        station->units[i].silent = false;
        station->units[i].exception = 0;
        station->units[i].late_ms = 0;
    }
}

static int control_fault(struct station *station, const char *line, char said[STATION_SAID_SIZE])
{
    char kind[16] = "", rest;
    double first = 0;
    unsigned second = 0;
    int n = sscanf(line, "%*s %15[a-z]%*[ :=]%lf%*[ :]%u %c", kind, &first, &second, &rest);
    struct station_unit *unit = station_find(station, (unsigned long)first);

    if (n == 1 && strcmp(kind, "none") == 0)
        clear_faults(station);
    else if (n == 2 && strcmp(kind, "drop") == 0 && first >= 0 && first <= 1)
        station->drop = first;
    else if (n == 2 && strcmp(kind, "silent") == 0 && unit)
        unit->silent = true;
    else if (n == 3 && strcmp(kind, "exception") == 0 && unit && second <= UINT8_MAX)
        unit->exception = (uint8_t)second;
    else if (n == 3 && strcmp(kind, "late") == 0 && unit)
        unit->late_ms = second;
    else
        return say(said, "error: expected fault silent UNIT | exception UNIT CODE | late UNIT MS | "
                         "drop P | none");
    return say(said, "ok");
}

int station_control(struct station *station, const char *line, char said[STATION_SAID_SIZE])
{
    if (strncmp(line, "fault", 5) == 0)
        return control_fault(station, line, said);
    if (strncmp(line, "set ", 4) == 0 || strncmp(line, "get ", 4) == 0 ||
        strncmp(line, "free ", 5) == 0)
        return control_value(station, line, said);
    return say(said, "error: unknown word; there are set, free, get, fault");
}
