/* The last good value of each field that a device has published, and when that was. Pure: time
 * passed in. */
#ifndef LATEST_H
#define LATEST_H

#include "reading.h"
#include "topic.h"

#include <stdint.h>

struct latest_value {
    char measurement[TOPIC_NAME_SIZE];
    char field[TOPIC_NAME_SIZE];
    struct value value; /* owned */
    int64_t at_ms;
};

/* Starts as `= {0}`. */
struct latest {
    struct latest_value *values; /* owned array */
    size_t n_values;
};
void latest_free(struct latest *latest);

/* Takes the good values of a reading over. A value for which there is no memory is forgotten, so
 * that an older one cannot pass for it. */
void latest_take(struct latest *latest, const char *measurement, const struct reading *reading,
                 int64_t now_ms);

/* NULL where there was none yet. An empty measurement means whichever has the field. Borrowed until
 * the next latest_take(). */
const struct latest_value *latest_find(const struct latest *latest, const char *measurement,
                                       const char *field);

#endif
