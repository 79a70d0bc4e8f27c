/* From the cells of a group's points to the reading that is published of them. Pure. */
#ifndef SAMPLE_H
#define SAMPLE_H

#include "decode.h"
#include "reading.h"
#include "settings.h"

/* A reading and the texts in it; its memory serves reading after reading. */
struct sample {
    struct reading reading;
    char (*texts)[DECODE_TEXT_SIZE]; /* owned; of one reading */
};

/* Strings among the group's points. */
size_t sample_texts(const struct group_settings *group);

/* For groups of at most so many strings. Returns 0 or -ENOMEM. */
int sample_open(struct sample *out, size_t n_texts);
void sample_close(struct sample *sample);

/* Makes the reading of what a round brought: `results` of each point, as in bus.h, and `cells`.
 * Returns 0, or what reading_add() does. */
int sample_take(struct sample *sample, const struct group_settings *group, const int *results,
                const uint16_t *cells);

/* Adds a point to a reading: good, or a fault. `text` holds a string until the reading is done
 * with. Returns what reading_add() does. */
int sample_add(const struct group_point *point, struct reading *reading, const uint16_t *cells,
               char text[DECODE_TEXT_SIZE]);

#endif
