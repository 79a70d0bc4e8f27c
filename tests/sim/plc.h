/* The controller of a line and its plant: the registers of one Modbus unit over their physics.
 * Pure.
 *
 * Input registers, 16 bits unsigned where nothing else is said; two are in order ABCD, high word
 * first:
 *   0-1 units_produced uint32, 2-3 runtime_hours uint32 /1000 h, 4 temperature int16 /100 °C,
 *   5 pressure /10 bar, 6 flow /10 l/min, 7-8 energy float32 kWh, 9 line_speed units/h,
 *   10 downtime_minutes /10, 11 quality /10 %
 * Holding registers: 0 speed_setpoint units/h up to 2000, 1 mode, 2 watchdog
 * Coils: 0 pump_0 (cooling water), 1 pump_1 (pressure), 2 conveyor, 3 warning_light
 * Discrete inputs: 0 jam, 1 door_closed, 2 emergency_stop
 *
 * Once the watchdog register was written it must be written again and again: where it is not for a
 * time, the outputs stay at their safe values, cooling and light on, pressure and conveyor off. */
#ifndef PLC_H
#define PLC_H

#include "line.h"
#include "pdu.h"

#define PLC_COILS 4
#define PLC_DISCRETE 3
#define PLC_HOLDING 3
#define PLC_WATCHDOG 2 /* the holding register */
#define PLC_INPUT 12

struct plc {
    struct line line;
    struct pdu_map map; /* points into this struct, which therefore must not be moved */
    bool coils[PLC_COILS];
    bool discrete[PLC_DISCRETE];
    uint16_t holding[PLC_HOLDING];
    uint16_t input[PLC_INPUT];
    bool discrete_held[PLC_DISCRETE]; /* by plc_set(): the physics no longer changes them */
    bool input_held[PLC_INPUT];
    bool watched;   /* the watchdog was written once */
    bool let_go;    /* and then not any more */
    int64_t fed_ms; /* when that was */
};

void plc_init(struct plc *plc, uint64_t seed);
void plc_step(struct plc *plc); /* LINE_STEP_MS later */

/* The watchdog register was written. */
void plc_feed(struct plc *plc, int64_t now_ms);

/* To be called often: whether the outputs have just gone to their safe values, since the watchdog
 * was not fed for so long. */
bool plc_watch(struct plc *plc, int64_t limit_ms, int64_t now_ms);

/* Sets a value from outside. An input keeps it until plc_free(); an emergency stop acts on the
 * line. Return 0, or -ENOENT where there is no such address. */
int plc_set(struct plc *plc, enum pdu_table table, uint16_t address, uint16_t value);
int plc_free(struct plc *plc, enum pdu_table table, uint16_t address);

#endif
