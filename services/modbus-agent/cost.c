#include "cost.h"

#define REQUEST_BYTES 8u      /* unit, function, address, quantity, CRC */
#define ANSWER_FRAME_BYTES 5u /* unit, function, byte count, CRC */
#define SILENCE_BYTES 3.5
#define SILENCE_FAST_US 1750.0
#define FAST_BAUD 19200

static double byte_us(const struct endpoint *endpoint)
{
    return 1e6 * endpoint_bits_per_byte(endpoint) / endpoint->baud;
}

/* Of a request, whatever it reads. */
static double fixed_us(const struct endpoint *endpoint)
{
    double silence_us = SILENCE_FAST_US;

    if (!endpoint->serial)
        return COST_TCP_US;
    if (endpoint->baud <= FAST_BAUD)
        silence_us = SILENCE_BYTES * byte_us(endpoint);
    return (REQUEST_BYTES + ANSWER_FRAME_BYTES) * byte_us(endpoint) + 2 * silence_us + COST_UNIT_US;
}

static double cell_us(const struct endpoint *endpoint, enum table table)
{
    if (!endpoint->serial)
        return table_is_bits(table) ? COST_TCP_BIT_US : COST_TCP_REGISTER_US;
    return byte_us(endpoint) * (table_is_bits(table) ? 1.0 / 8 : 2);
}

double cost_read_us(const struct endpoint *endpoint, const struct span *span)
{
    unsigned cells = span->count;

    if (table_is_bits(span->table))
        cells = (cells + 7) / 8 * 8; /* whole bytes */
    return fixed_us(endpoint) + cells * cell_us(endpoint, span->table);
}

/* One coil or register: 8 bytes there and back. More: 9 and the data there, 8 back. */
double cost_write_us(const struct endpoint *endpoint, const struct span *span)
{
    unsigned extra = span->count > 1 ? 4 + 2 * span->count : 3;

    return fixed_us(endpoint) + (endpoint->serial ? extra * byte_us(endpoint) : 0);
}

unsigned cost_worthwhile_gap(const struct endpoint *endpoint, enum table table)
{
    double cells = fixed_us(endpoint) / cell_us(endpoint, table);
    unsigned most = table_read_max(table);

    return cells < most ? (unsigned)cells : most;
}
