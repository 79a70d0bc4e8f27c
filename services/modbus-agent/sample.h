/* From the cells of a point to what is published of it. Pure. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "decode.h"
#include "reading.h"
#include "settings.h"

/* Adds the point to the reading: good, or a fault. `text` holds a string until the reading is done
 * with. Returns what reading_add() does. */
int sample_add(const struct group_point *point, struct reading *reading, const uint16_t *cells,
               char text[DECODE_TEXT_SIZE]);

#endif
