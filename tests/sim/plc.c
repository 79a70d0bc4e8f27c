#include "plc.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { PUMP_0, PUMP_1, CONVEYOR, LIGHT };  /* coils */
enum { JAM, DOOR_CLOSED, EMERGENCY_STOP }; /* discrete inputs */
enum { SPEED_SETPOINT, MODE };             /* holding registers */
enum {
    UNITS_PRODUCED = 0, /* two registers */
    RUNTIME_HOURS = 2,  /* two registers */
    TEMPERATURE = 4,
    PRESSURE = 5,
    FLOW = 6,
    ENERGY = 7, /* two registers */
    LINE_SPEED = 9,
    DOWNTIME_MINUTES = 10,
    QUALITY = 11
};

static const uint16_t plc_holding_max[PLC_HOLDING] = {
    [SPEED_SETPOINT] = 2000, [MODE] = UINT16_MAX, [PLC_WATCHDOG] = UINT16_MAX};

static void plc_input(struct plc *plc, uint16_t address, uint16_t value)
{
    if (!plc->input_held[address])
        plc->input[address] = value;
}

static void plc_input32(struct plc *plc, uint16_t address, uint32_t value)
{
    plc_input(plc, address, (uint16_t)(value >> 16));
    plc_input(plc, (uint16_t)(address + 1), (uint16_t)value);
}

static void plc_measure(struct plc *plc)
{
    const struct line *line = &plc->line;
    float energy = (float)line->energy;
    uint32_t energy_bits;

    memcpy(&energy_bits, &energy, sizeof energy_bits);
    plc_input32(plc, UNITS_PRODUCED, line_units_produced(line));
    plc_input32(plc, RUNTIME_HOURS, line_runtime_milli_hours(line));
    plc_input(plc, TEMPERATURE, (uint16_t)(int16_t)lround(line->temperature * 100));
    plc_input(plc, PRESSURE, (uint16_t)lround(line->pressure * 10));
    plc_input(plc, FLOW, (uint16_t)lround(line->flow * 10));
    plc_input32(plc, ENERGY, energy_bits);
    plc_input(plc, LINE_SPEED, (uint16_t)lround(line->speed));
    plc_input(plc, DOWNTIME_MINUTES, (uint16_t)lround(line->downtime_s / 60 * 10));
    plc_input(plc, QUALITY, (uint16_t)lround(line->quality * 10));
    if (!plc->discrete_held[JAM])
        plc->discrete[JAM] = line->jam;
    if (!plc->discrete_held[DOOR_CLOSED])
        plc->discrete[DOOR_CLOSED] = true;
    if (!plc->discrete_held[EMERGENCY_STOP])
        plc->discrete[EMERGENCY_STOP] = false;
}

void plc_init(struct plc *plc, uint64_t seed)
{
    *plc = (struct plc){
        .coils = {[PUMP_1] = true, [CONVEYOR] = true},
        .holding = {[SPEED_SETPOINT] = LINE_NOMINAL_RATE, [MODE] = 1},
        .map = {.n_coils = PLC_COILS,
                .n_discrete = PLC_DISCRETE,
                .n_holding = PLC_HOLDING,
                .n_input = PLC_INPUT,
                .holding_max = plc_holding_max},
    };
    plc->map.coils = plc->coils;
    plc->map.discrete = plc->discrete;
    plc->map.holding = plc->holding;
    plc->map.input = plc->input;
    line_init(&plc->line, seed);
    plc_measure(plc);
}

void plc_step(struct plc *plc)
{
    plc->line.pump_0 = plc->coils[PUMP_0];
    plc->line.pump_1 = plc->coils[PUMP_1];
    plc->line.conveyor = plc->coils[CONVEYOR];
    plc->line.emergency_stop = plc->discrete[EMERGENCY_STOP];
    plc->line.speed_setpoint = plc->holding[SPEED_SETPOINT];
    line_step(&plc->line);
    plc_measure(plc);
}

void plc_feed(struct plc *plc, int64_t now_ms)
{
    plc->watched = true;
    plc->let_go = false;
    plc->fed_ms = now_ms;
}

bool plc_watch(struct plc *plc, int64_t limit_ms, int64_t now_ms)
{
    bool before = plc->let_go;

    if (!plc->watched || now_ms - plc->fed_ms < limit_ms)
        return false;
    plc->let_go = true;
    plc->coils[PUMP_0] = true;
    plc->coils[PUMP_1] = false;
    plc->coils[CONVEYOR] = false;
    plc->coils[LIGHT] = true;
    return !before;
}

static bool plc_has(const struct plc *plc, enum pdu_table table, uint16_t address)
{
    const uint16_t limits[] = {
        [PDU_COILS] = plc->map.n_coils,
        [PDU_DISCRETE] = plc->map.n_discrete,
        [PDU_HOLDING] = plc->map.n_holding,
        [PDU_INPUT] = plc->map.n_input,
    };

    return address < limits[table];
}

int plc_set(struct plc *plc, enum pdu_table table, uint16_t address, uint16_t value)
{
    if (!plc_has(plc, table, address))
        return -ENOENT;
    switch (table) {
    case PDU_COILS:
        plc->coils[address] = value != 0;
        break;
    case PDU_HOLDING:
        plc->holding[address] = value;
        break;
    case PDU_DISCRETE:
        plc->discrete[address] = value != 0;
        plc->discrete_held[address] = true;
        break;
    case PDU_INPUT:
        plc->input[address] = value;
        plc->input_held[address] = true;
        break;
    }
    return 0;
}

int plc_free(struct plc *plc, enum pdu_table table, uint16_t address)
{
    if (!plc_has(plc, table, address))
        return -ENOENT;
    if (table == PDU_DISCRETE)
        plc->discrete_held[address] = false;
    else if (table == PDU_INPUT)
        plc->input_held[address] = false;
    plc_measure(plc);
    return 0;
}
