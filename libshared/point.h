/* From what a device said to what is published: scale, rounding, validity; the same for every
 * agent. Pure, but for point_configure(). */
#ifndef POINT_H
#define POINT_H

#include "config.h"
#include "reading.h"
#include "topic.h"
#include "value.h"

#define POINT_NOT_MAX 8

enum point_type { POINT_NUMBER, POINT_BOOL, POINT_TEXT };

struct point {
    char name[TOPIC_NAME_SIZE];
    const char *unit; /* text for people; borrowed from the configuration; NULL where none */
    enum point_type type;
    double scale;  /* published = raw × scale + offset */
    double divide; /* or raw / divide + offset, where not 0: 35 / 100 is 0.35, 35 × 0.01 is not */
    double offset;
    int decimals; /* digits kept after the point; -1: all */
    double min;   /* of the published value; -INFINITY and INFINITY where not limited */
    double max;
    double not_values[POINT_NOT_MAX]; /* raw values that mean "no value", such as 65535 */
    size_t n_not_values;
};

/* Reads "name", "unit", "type", "scale", "divide", "offset", "decimals", "valid": {min,max,not}. */
void point_configure(struct point *out, struct config_node *node);

/* The same without "type", for agents that know it from a type of their own. */
void point_configure_typed(struct point *out, struct config_node *node, enum point_type type);

/* Adds the point to the reading: good after conversion, or a fault. Returns what reading_add()
 * does. */
int point_add(const struct point *point, struct reading *reading, struct value raw);

#endif
