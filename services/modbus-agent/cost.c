#include "cost.h"

#define REQUEST_BYTES 8u      /* unit, function, address, quantity, CRC */
#define ANSWER_FRAME_BYTES 5u /* unit, function, byte count, CRC */
#define SILENCE_BYTES 3.5
#define SILENCE_FAST_US 1750.0
#define FAST_BAUD 19200

double cost_read_us(const struct endpoint *endpoint, const struct span *span)
{
    unsigned data = table_is_bits(span->table) ? (span->count + 7) / 8 : span->count * 2;
    double byte_us;
    double silence_us;

    if (!endpoint->serial)
        return COST_TCP_US;
    byte_us = 1e6 * endpoint_bits_per_byte(endpoint) / endpoint->baud;
    silence_us = endpoint->baud > FAST_BAUD ? SILENCE_FAST_US : SILENCE_BYTES * byte_us;
    return (REQUEST_BYTES + ANSWER_FRAME_BYTES + data) * byte_us + 2 * silence_us + COST_UNIT_US;
}
