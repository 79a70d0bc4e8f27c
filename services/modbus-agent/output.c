#include "output.h"

#include <errno.h>

static double from_raw(const struct output *output, double raw)
{
    return (output->divide != 0 ? raw / output->divide : raw * output->scale) + output->offset;
}

int output_encode(const struct output *output, const struct value *value, uint16_t *cells)
{
    double number;

    if (value->type == VALUE_BOOL)
        return encode(&output->encoding, value->boolean, cells);
    if (value->type != VALUE_NUMBER)
        return -EINVAL;
    number = value->number - output->offset;
    number = output->divide != 0 ? number * output->divide : number / output->scale;
    return encode(&output->encoding, number, cells);
}

struct value output_decode(const struct output *output, const uint16_t *cells)
{
    char text[DECODE_TEXT_SIZE];
    struct value value = decode(&output->encoding, cells, text);

    return value.type == VALUE_NUMBER ? value_number(from_raw(output, value.number)) : value;
}

void output_range(const struct output *output, double *min, double *max)
{
    double low;
    double high;

    encoding_range(&output->encoding, &low, &high);
    low = from_raw(output, low);
    high = from_raw(output, high);
    *min = low < high ? low : high;
    *max = low < high ? high : low;
}
