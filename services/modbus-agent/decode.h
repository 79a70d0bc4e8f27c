/* Cells of a Modbus table to values and back. Pure.
 *
 * A cell is a register, or a bit widened to one. The order of a value's bytes on the wire is named
 * as the field names it: the letters of the value from its most significant byte A, written as the
 * registers carry them. "ABCD" is what the specification asks for (section 4.2: big-endian); "CDAB"
 * has the words swapped, "BADC" the bytes of each word, "DCBA" both. The same four name the orders
 * of 16-bit values ("AB", "BA") and of 64-bit ones ("ABCDEFGH", "GHEFCDAB", "BADCFEHG",
 * "HGFEDCBA"). */
#ifndef DECODE_H
#define DECODE_H

#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECODE_CELLS_MAX 125 /* of one value: a string may fill a whole answer */
#define DECODE_TEXT_SIZE (2 * DECODE_CELLS_MAX + 1) /* bytes, NUL included */

enum data_type {
    DATA_BOOL, /* a bit, or a register that is not 0 */
    DATA_BIT,  /* one bit of a register */
    DATA_BITS, /* some bits of a register, as a number without sign */
    DATA_INT8, /* one byte of a register */
    DATA_UINT8,
    DATA_INT16,
    DATA_UINT16,
    DATA_INT32,
    DATA_UINT32,
    DATA_INT64,
    DATA_UINT64,
    DATA_BCD16, /* a decimal digit in each four bits, the most significant first */
    DATA_BCD32,
    DATA_FLOAT16, /* IEEE 754-2008 binary16 */
    DATA_FLOAT32,
    DATA_FLOAT64,
    DATA_STRING
};
extern const char *const data_type_names[]; /* "bool", "bit", "int16"…, NULL at the end */

struct encoding {
    enum data_type type;
    bool swap_words;
    bool swap_bytes;
    unsigned bit;    /* of DATA_BIT, the lowest one of DATA_BITS: 0 is the least significant */
    unsigned width;  /* of DATA_BITS: how many, bit + width being 16 at most */
    bool high_byte;  /* of DATA_INT8 and DATA_UINT8 */
    unsigned length; /* of DATA_STRING: registers */
};

/* Sets the order by its name; the type must be set before. -EINVAL where the name is none, or none
 * that a value of this size can have. */
int encoding_set_order(struct encoding *encoding, const char *order);

unsigned encoding_cells(const struct encoding *encoding); /* cells that a value takes */

/* The numbers that can be written, for types that can. */
void encoding_range(const struct encoding *encoding, double *min, double *max);

/* Reads encoding_cells() cells. A text is put into `text` and borrows it: up to the first NUL,
 * blanks at its end cut, bytes that are not printable ASCII as '?'. 64-bit integers beyond 2^53
 * lose their last digits. A float that is not finite, and NaN for a BCD digit above 9, is
 * VALUE_NUMBER all the same: reading_add() names it. */
struct value decode(const struct encoding *encoding, const uint16_t *cells,
                    char text[DECODE_TEXT_SIZE]);

/* Whether a value fills its cells, so that writing it touches nothing else. */
bool encoding_writable(const struct encoding *encoding);

/* Writes the cells of a number, rounded where the type is whole; a bool is 0 or 1.
 * Returns 0; -ERANGE where the type cannot hold it; -EINVAL where it is not writable. */
int encode(const struct encoding *encoding, double number, uint16_t *cells);

#endif
