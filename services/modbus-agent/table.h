/* The four object types of Modbus and a stretch of one of them.
 * Source: MODBUS Application Protocol Specification V1.1b3, sections 4.3 (data model), 6.1 to 6.4
 * (quantities). Addresses are those of the wire, from 0; "40001" is holding register 0. */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>

#define TABLE_SIZE 65536u        /* addresses of each table */
#define TABLE_BITS_MAX 2000u     /* coils or discrete inputs in one read */
#define TABLE_REGISTERS_MAX 125u /* registers in one read */

enum table { TABLE_COIL, TABLE_DISCRETE, TABLE_INPUT, TABLE_HOLDING };

extern const char *const table_names[]; /* "coil", "discrete", "input", "holding", NULL */

static inline bool table_is_bits(enum table table)
{
    return table == TABLE_COIL || table == TABLE_DISCRETE;
}

static inline unsigned table_read_max(enum table table)
{
    return table_is_bits(table) ? TABLE_BITS_MAX : TABLE_REGISTERS_MAX;
}

/* `count` cells from `address`: bits or registers, as the table has them. */
struct span {
    enum table table;
    unsigned address;
    unsigned count;
};

static inline unsigned span_end(const struct span *span)
{
    return span->address + span->count;
}

static inline bool span_covers(const struct span *outer, const struct span *inner)
{
    return outer->table == inner->table && outer->address <= inner->address &&
           span_end(inner) <= span_end(outer);
}

#endif
