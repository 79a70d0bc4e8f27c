#include "sample.h"

#include "bus.h"

#include <errno.h>
#include <stdlib.h>

size_t sample_texts(const struct group_settings *group)
{
    size_t n = 0;

    for (size_t i = 0; i < group->n_points; i++)
        n += group->points[i].encoding.type == DATA_STRING;
    return n;
}

int sample_open(struct sample *out, size_t n_texts)
{
    *out = (struct sample){0};
    if (n_texts == 0)
        return 0;
    out->texts = calloc(n_texts, sizeof *out->texts);
    return out->texts ? 0 : -ENOMEM;
}

void sample_close(struct sample *sample)
{
    reading_free(&sample->reading);
    free(sample->texts);
    *sample = (struct sample){0};
}

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

int sample_take(struct sample *sample, const struct group_settings *group, const int *results,
                const uint16_t *cells)
{
    char(*text)[DECODE_TEXT_SIZE] = sample->texts;
    int rc = 0;

    reading_reset(&sample->reading, 0, 0);
    for (size_t i = 0; i < group->n_points && rc == 0; i++) {
        const struct group_point *point = &group->points[i];
        bool is_text = point->encoding.type == DATA_STRING;

        if (results[i] != 0)
            rc = reading_add_fault(&sample->reading, point->point.name, bus_reason(results[i]));
        else
            rc = sample_add(point, &sample->reading, cells + point->first_cell,
                            is_text ? *text++ : NULL);
    }
    return rc;
}
