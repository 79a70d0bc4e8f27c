#include "sample.h"

int sample_add(const struct group_point *point, struct reading *reading, const uint16_t *cells,
               char text[DECODE_TEXT_SIZE])
{
    struct value raw = decode(&point->encoding, cells, text);
    const char *label;

    if (point->labels.n == 0)
        return point_add(&point->point, reading, raw);
    label = labels_find(&point->labels, raw.type == VALUE_BOOL ? raw.boolean : raw.number);
    /* A number without a name is not published as one: a type never changes under a key. */
    if (!label)
        return reading_add_fault(reading, point->point.name, "out_of_range");
    return reading_add(reading, point->point.name, value_text(label));
}
