#include "decode.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

const char *const data_type_names[] = {"bool",  "bit",    "int16",   "uint16",  "int32",  "uint32",
                                       "int64", "uint64", "float32", "float64", "string", NULL};

struct order {
    const char *name;
    unsigned cells; /* of the values it is for; 0: of any */
    bool swap_words;
    bool swap_bytes;
};

static const struct order orders[] = {
    {"ABCD", 0, false, false},     {"CDAB", 0, true, false},     {"BADC", 0, false, true},
    {"DCBA", 0, true, true},       {"AB", 1, false, false},      {"BA", 1, false, true},
    {"ABCDEFGH", 4, false, false}, {"GHEFCDAB", 4, true, false}, {"BADCFEHG", 4, false, true},
    {"HGFEDCBA", 4, true, true},
};

int encoding_set_order(struct encoding *encoding, const char *order)
{
    /* Of a string only the two bytes of each register can be swapped: its words come in reading
     * order. */
    unsigned cells = encoding->type == DATA_STRING ? 1 : encoding_cells(encoding);

    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        const struct order *known = &orders[i];

        if (strcmp(order, known->name) != 0)
            continue;
        if ((known->cells && known->cells != cells) || (known->swap_words && cells == 1))
            return -EINVAL;
        if (encoding->type == DATA_BOOL && known->swap_bytes)
            return -EINVAL;
        encoding->swap_words = known->swap_words;
        encoding->swap_bytes = known->swap_bytes;
        return 0;
    }
    return -EINVAL;
}

unsigned encoding_cells(const struct encoding *encoding)
{
    switch (encoding->type) {
    case DATA_BOOL:
    case DATA_BIT:
    case DATA_INT16:
    case DATA_UINT16:
        return 1;
    case DATA_INT32:
    case DATA_UINT32:
    case DATA_FLOAT32:
        return 2;
    case DATA_INT64:
    case DATA_UINT64:
    case DATA_FLOAT64:
        return 4;
    case DATA_STRING:
        break;
    }
    return encoding->length;
}

void encoding_range(const struct encoding *encoding, double *min, double *max)
{
    static const struct {
        double min;
        double max;
    } ranges[] = {
        [DATA_BOOL] = {0, 1},
        [DATA_BIT] = {0, 1},
        [DATA_INT16] = {INT16_MIN, INT16_MAX},
        [DATA_UINT16] = {0, UINT16_MAX},
        [DATA_INT32] = {INT32_MIN, INT32_MAX},
        [DATA_UINT32] = {0, UINT32_MAX},
        /* The ends of 64 bits are no doubles: the nearest ones within. */
        [DATA_INT64] = {-9223372036854775808.0, 9223372036854774784.0},
        [DATA_UINT64] = {0, 18446744073709549568.0},
        [DATA_FLOAT32] = {-FLT_MAX, FLT_MAX},
        [DATA_FLOAT64] = {-DBL_MAX, DBL_MAX},
        [DATA_STRING] = {0, 0},
    };

    *min = ranges[encoding->type].min;
    *max = ranges[encoding->type].max;
}

static uint16_t swapped(uint16_t word)
{
    return (uint16_t)(word << 8 | word >> 8);
}

static uint64_t join(const struct encoding *encoding, const uint16_t *cells)
{
    unsigned n = encoding_cells(encoding);
    uint64_t bits = 0;

    for (unsigned i = 0; i < n; i++) {
        uint16_t word = cells[encoding->swap_words ? n - 1 - i : i];

        bits = bits << 16 | (encoding->swap_bytes ? swapped(word) : word);
    }
    return bits;
}

static void split(const struct encoding *encoding, uint64_t bits, uint16_t *cells)
{
    unsigned n = encoding_cells(encoding);

    for (unsigned i = 0; i < n; i++) {
        uint16_t word = (uint16_t)(bits >> 16 * (n - 1 - i));

        cells[encoding->swap_words ? n - 1 - i : i] = encoding->swap_bytes ? swapped(word) : word;
    }
}

static double float32_of(uint32_t bits)
{
    float number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static double float64_of(uint64_t bits)
{
    double number;

    memcpy(&number, &bits, sizeof number);
    return number;
}

static struct value decode_text(const struct encoding *encoding, const uint16_t *cells, char *text)
{
    size_t length = 0;

    for (unsigned i = 0; i < encoding->length && i < DECODE_CELLS_MAX; i++) {
        uint16_t word = encoding->swap_bytes ? swapped(cells[i]) : cells[i];

        text[length++] = (char)(word >> 8);
        text[length++] = (char)(word & 0xff);
    }
    text[length] = '\0';
    length = strlen(text);
    while (length && text[length - 1] == ' ')
        text[--length] = '\0';
    for (size_t i = 0; i < length; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            text[i] = '?';
    return value_text(text);
}

struct value decode(const struct encoding *encoding, const uint16_t *cells,
                    char text[DECODE_TEXT_SIZE])
{
    uint64_t bits = encoding->type == DATA_STRING ? 0 : join(encoding, cells);

    switch (encoding->type) {
    case DATA_BOOL:
        return value_bool(bits != 0);
    case DATA_BIT:
        return value_bool(bits >> encoding->bit & 1);
    case DATA_INT16:
        return value_number((int16_t)bits);
    case DATA_INT32:
        return value_number((int32_t)bits);
    case DATA_INT64:
        return value_number((double)(int64_t)bits);
    case DATA_UINT16:
    case DATA_UINT32:
    case DATA_UINT64:
        return value_number((double)bits);
    case DATA_FLOAT32:
        return value_number(float32_of((uint32_t)bits));
    case DATA_FLOAT64:
        return value_number(float64_of(bits));
    case DATA_STRING:
        break;
    }
    return decode_text(encoding, cells, text);
}

/* The two's complement or IEEE 754 pattern of a number that is known to be in range. */
static uint64_t pattern(enum data_type type, double number)
{
    float single = (float)number;
    uint32_t word;
    uint64_t bits;

    switch (type) {
    case DATA_FLOAT32:
        memcpy(&word, &single, sizeof word);
        return word;
    case DATA_FLOAT64:
        memcpy(&bits, &number, sizeof bits);
        return bits;
    default:
        return number < 0 ? (uint64_t)(int64_t)round(number) : (uint64_t)round(number);
    }
}

int encode(const struct encoding *encoding, double number, uint16_t *cells)
{
    double min;
    double max;
    bool whole = encoding->type != DATA_FLOAT32 && encoding->type != DATA_FLOAT64;

    if (encoding->type == DATA_BIT || encoding->type == DATA_STRING)
        return -EINVAL;
    encoding_range(encoding, &min, &max);
    if (whole)
        number = round(number);
    if (!(number >= min && number <= max)) /* so that NaN is out of range too */
        return -ERANGE;
    split(encoding, pattern(encoding->type, number), cells);
    return 0;
}
