#include "decode.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <string.h>

#define FLOAT16_MAX 65504.0

const char *const data_type_names[] = {"bool",   "bit",     "bits",    "int8",    "uint8",  "int16",
                                       "uint16", "int32",   "uint32",  "int64",   "uint64", "bcd16",
                                       "bcd32",  "float16", "float32", "float64", "string", NULL};

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

/* One byte of a register is named by "byte". */
static bool may_swap_bytes(enum data_type type)
{
    return type != DATA_BOOL && type != DATA_INT8 && type != DATA_UINT8;
}

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
        if (!may_swap_bytes(encoding->type) && known->swap_bytes)
            return -EINVAL;
        encoding->swap_words = known->swap_words;
        encoding->swap_bytes = known->swap_bytes;
        return 0;
    }
    return -EINVAL;
}

/* Cells that a value takes, and the numbers that it can be. */
static const struct {
    unsigned cells;
    bool writable;
    double min;
    double max;
} kinds[] = {
    [DATA_BOOL] = {1, true, 0, 1},
    [DATA_BIT] = {1, false, 0, 1},
    [DATA_BITS] = {1, false, 0, UINT16_MAX},
    [DATA_INT8] = {1, false, INT8_MIN, INT8_MAX},
    [DATA_UINT8] = {1, false, 0, UINT8_MAX},
    [DATA_INT16] = {1, true, INT16_MIN, INT16_MAX},
    [DATA_UINT16] = {1, true, 0, UINT16_MAX},
    [DATA_INT32] = {2, true, INT32_MIN, INT32_MAX},
    [DATA_UINT32] = {2, true, 0, UINT32_MAX},
    /* The ends of 64 bits are no doubles: the nearest ones within. */
    [DATA_INT64] = {4, true, -9223372036854775808.0, 9223372036854774784.0},
    [DATA_UINT64] = {4, true, 0, 18446744073709549568.0},
    [DATA_BCD16] = {1, true, 0, 9999},
    [DATA_BCD32] = {2, true, 0, 99999999},
    [DATA_FLOAT16] = {1, true, -FLOAT16_MAX, FLOAT16_MAX},
    [DATA_FLOAT32] = {2, true, -FLT_MAX, FLT_MAX},
    [DATA_FLOAT64] = {4, true, -DBL_MAX, DBL_MAX},
    [DATA_STRING] = {0, false, 0, 0}, /* encoding.length */
};

unsigned encoding_cells(const struct encoding *encoding)
{
    return encoding->type == DATA_STRING ? encoding->length : kinds[encoding->type].cells;
}

bool encoding_writable(const struct encoding *encoding)
{
    return kinds[encoding->type].writable;
}

void encoding_range(const struct encoding *encoding, double *min, double *max)
{
    *min = kinds[encoding->type].min;
    *max = kinds[encoding->type].max;
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

static uint8_t byte_of(const struct encoding *encoding, uint64_t bits)
{
    return (uint8_t)(encoding->high_byte ? bits >> 8 : bits);
}

static double bcd_of(uint64_t bits, unsigned digits)
{
    double number = 0;

    while (digits-- > 0) {
        unsigned digit = bits >> 4 * digits & 0xf;

        if (digit > 9)
            return NAN;
        number = number * 10 + digit;
    }
    return number;
}

static double float16_of(uint16_t bits)
{
    int exponent = bits >> 10 & 0x1f;
    double fraction = bits & 0x3ff;
    double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);

    if (exponent == 0x1f)
        size = fraction != 0 ? NAN : INFINITY;
    return bits & 0x8000 ? -size : size;
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
    case DATA_BITS:
        return value_number((double)(bits >> encoding->bit & ((1u << encoding->width) - 1)));
    case DATA_INT8:
        return value_number((int8_t)byte_of(encoding, bits));
    case DATA_UINT8:
        return value_number(byte_of(encoding, bits));
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
    case DATA_BCD16:
    case DATA_BCD32:
        return value_number(bcd_of(bits, 4 * encoding_cells(encoding)));
    case DATA_FLOAT16:
        return value_number(float16_of((uint16_t)bits));
    case DATA_FLOAT32:
        return value_number(float32_of((uint32_t)bits));
    case DATA_FLOAT64:
        return value_number(float64_of(bits));
    case DATA_STRING:
        break;
    }
    return decode_text(encoding, cells, text);
}

static uint64_t bcd_pattern(double number)
{
    uint64_t rest = (uint64_t)number;
    uint64_t bits = 0;

    for (unsigned at = 0; rest; at += 4, rest /= 10)
        bits |= rest % 10 << at;
    return bits;
}

/* To the nearest, ties to even. A fraction that is rounded up to 1024 carries into the exponent. */
static uint64_t float16_pattern(double number)
{
    double size = fabs(number);
    uint64_t sign = signbit(number) ? 0x8000 : 0;
    int exponent;

    frexp(size, &exponent);          /* size = [0.5, 1) × 2^exponent */
    if (exponent < -13 || size == 0) /* subnormal */
        return sign | (uint64_t)rint(ldexp(size, 24));
    return sign |
           (((uint64_t)(exponent + 14) << 10) + (uint64_t)rint(ldexp(size, 11 - exponent)) - 1024);
}

/* The two's complement or IEEE 754 pattern of a number that is known to be in range. */
static uint64_t pattern(enum data_type type, double number)
{
    float single = (float)number;
    uint32_t word;
    uint64_t bits;

    switch (type) {
    case DATA_BCD16:
    case DATA_BCD32:
        return bcd_pattern(number);
    case DATA_FLOAT16:
        return float16_pattern(number);
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
    bool whole = encoding->type < DATA_FLOAT16;

    if (!encoding_writable(encoding))
        return -EINVAL;
    encoding_range(encoding, &min, &max);
    if (whole)
        number = round(number);
    if (!(number >= min && number <= max)) /* so that NaN is out of range too */
        return -ERANGE;
    split(encoding, pattern(encoding->type, number), cells);
    return 0;
}
