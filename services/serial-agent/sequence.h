/* The numbers that a board gives its lines, each one more than the last: what is missing between
 * two was lost on the way. Pure. */
#ifndef SEQUENCE_H
#define SEQUENCE_H

#include "value.h"

#include <stdbool.h>
#include <stdint.h>

struct sequence {
    uint64_t modulo; /* the number after which it begins at 0 again, plus one; at least 2 */
    bool begun;
    uint64_t last;
    uint64_t missed;   /* lines that were never seen */
    uint64_t repeated; /* lines with the number of the one before */
    uint64_t restarts; /* times that the numbers went back: the board began anew */
    uint64_t unread;   /* lines whose number is none, or not below the modulo */
};

/* A line with this number has come; as the decoder read it, a number or a text. A step of more than
 * half the modulo is taken for one back. */
void sequence_note(struct sequence *sequence, const struct value *number);

#endif
