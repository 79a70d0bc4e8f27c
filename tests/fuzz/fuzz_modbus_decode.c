/* What a device may answer, under every interpretation that a configuration may ask for; and bus
 * URLs. */
#include "decode.h"
#include "endpoint.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static const char *const orders[] = {"ABCD", "CDAB", "BADC", "DCBA", "AB", "BA", "GHEFCDAB"};

static void check_text(const struct value *value)
{
    if (strlen(value->text) >= DECODE_TEXT_SIZE)
        abort();
    for (const char *c = value->text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            abort();
}

/* Whole numbers that a double holds are written back as they were read. */
static void check_back(const struct encoding *encoding, double number, const uint16_t *cells)
{
    uint16_t back[4];
    size_t size = encoding_cells(encoding) * sizeof back[0];

    if (encoding->type > DATA_UINT32 || encoding->type < DATA_INT16)
        return;
    if (encode(encoding, number, back) != 0 || memcmp(back, cells, size) != 0)
        abort();
}

static void interpret(struct encoding encoding, const char *order, const uint16_t *cells)
{
    char text[DECODE_TEXT_SIZE];
    struct value value;

    if (encoding_set_order(&encoding, order) != 0)
        return;
    value = decode(&encoding, cells, text);
    if (value.type == VALUE_TEXT)
        check_text(&value);
    else if (value.type == VALUE_NUMBER)
        check_back(&encoding, value.number, cells);
}

static void parse_url(const uint8_t *data, size_t size)
{
    char *url = calloc(size + 1, 1);
    struct endpoint endpoint;
    char error[128] = "";

    if (!url)
        abort();
    memcpy(url, data, size);
    if (endpoint_parse(&endpoint, url, error, sizeof error) != 0 && !*error)
        abort();
    free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint16_t cells[DECODE_CELLS_MAX] = {0};
    struct encoding encoding = {0};

    parse_url(data, size);
    if (size < 2)
        return 0;
    encoding.bit = data[0] % 16;
    encoding.width = 1 + data[1] % (16 - encoding.bit);
    encoding.high_byte = data[1] & 1;
    encoding.length = 1 + data[1] % DECODE_CELLS_MAX;
    memcpy(cells, data + 2, size - 2 < sizeof cells ? size - 2 : sizeof cells);
    for (encoding.type = DATA_BOOL; encoding.type <= DATA_STRING; encoding.type++)
        for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++)
            interpret(encoding, orders[i], cells);
    return 0;
}
