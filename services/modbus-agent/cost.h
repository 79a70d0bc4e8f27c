/* What a request costs a bus, in time. Pure; an estimate for --plan.
 *
 * Serial: the frames at the line's speed and the silences between them (MODBUS over Serial Line
 * V1.02, section 2.5.1.1: 3.5 characters, or 1.75 ms above 19200 baud), and what a usual unit takes
 * to answer. TCP: a round trip in a usual local network and the unit's time. */
#ifndef COST_H
#define COST_H

#include "endpoint.h"
#include "table.h"

#define COST_UNIT_US 5000.0 /* assumed: what a unit on a serial line takes to begin its answer */
#define COST_TCP_US 2000.0  /* assumed: a whole exchange over TCP */

#define COST_TCP_REGISTER_US 20.0 /* assumed: what a register more takes a unit to hand out */
#define COST_TCP_BIT_US 2.0

double cost_read_us(const struct endpoint *endpoint, const struct span *span);
double cost_write_us(const struct endpoint *endpoint, const struct span *span);

/* Cells up to which reading along what nobody wants costs the wire less than a request more. */
unsigned cost_worthwhile_gap(const struct endpoint *endpoint, enum table table);

#endif
