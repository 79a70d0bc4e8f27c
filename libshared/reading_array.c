#include "reading_array.h"

#include <errno.h>

static void begin_element(struct reading_array *array)
{
    array->several = array->text.size > 0;
    buffer_char(&array->text, array->several ? ',' : '[');
}

int reading_array_add(struct reading_array *array, const struct reading *reading)
{
    begin_element(array);
    return reading_encode(reading, &array->text);
}

int reading_array_add_encoded(struct reading_array *array, const char *payload, size_t size)
{
    bool is_array = size > 2 && payload[0] == '[';

    begin_element(array);
    buffer_append(&array->text, payload + is_array, size - 2 * (size_t)is_array);
    array->several = array->several || is_array;
    return array->text.failed ? -ENOMEM : 0;
}

bool reading_array_is_empty(const struct reading_array *array)
{
    return array->text.size == 0;
}

bool reading_array_is_full(const struct reading_array *array)
{
    return array->text.size >= READING_ARRAY_MAX;
}

const char *reading_array_end(struct reading_array *array, size_t *size)
{
    buffer_char(&array->text, ']');
    *size = array->several ? array->text.size : array->text.size - 2;
    return buffer_string(&array->text) + !array->several;
}

void reading_array_clear(struct reading_array *array)
{
    buffer_clear(&array->text);
    array->several = false;
}

void reading_array_free(struct reading_array *array)
{
    buffer_free(&array->text);
}
