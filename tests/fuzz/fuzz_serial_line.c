/* What a board may say: bytes to lines, in one piece and byte by byte, which must come to the same;
 * each line under every decoder. The first byte chooses the checksum. */
#include "decode.h"
#include "framing.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LENGTH 64
#define FIELDS 3

static const struct decoder templates[] = {
    {.format = DECODE_PAIRS, .separator = ",", .assign = ":", .fields = {"TEMP", "HUM", "FAN"}},
    {.format = DECODE_PAIRS, .separator = "; ", .assign = "=", .fields = {"a", "b", "a"}},
    {.format = DECODE_JSON, .fields = {"temp", "/a/0", "/a~1b/x~0"}},
    {.format = DECODE_CSV, .separator = ",", .positions = {1, 2, 2}},
    {.format = DECODE_PATTERN, .positions = {1, 2, 3}},
};

static void check(const struct value *value, const char *scratch, size_t size)
{
    if (value->type != VALUE_TEXT)
        return;
    if (value->text < scratch || value->text + strlen(value->text) >= scratch + size)
        abort();
}

static void read_line(const char *line, struct pattern *pattern)
{
    size_t size = DECODE_SCRATCH(FIELDS, strlen(line));

    for (size_t i = 0; i < sizeof templates / sizeof templates[0]; i++) {
        struct decoder decoder = templates[i];
        struct value raw[FIELDS];
        char *scratch = malloc(size);

        if (!scratch)
            abort();
        decoder.prefix = "";
        decoder.n_fields = FIELDS;
        decoder.pattern = pattern;
        if (decode(&decoder, line, raw, scratch) > FIELDS)
            abort();
        for (size_t f = 0; f < FIELDS; f++)
            check(&raw[f], scratch, size);
        free(scratch);
    }
}

/* Lines are kept behind one another, to compare. */
static size_t take(struct framing *framing, const char *bytes, size_t size, size_t step, char *out)
{
    size_t length = 0;

    for (size_t at = 0; at < size; at += step) {
        const char *next = bytes + at;
        size_t left = size - at < step ? size - at : step;
        const char *line;

        while ((line = framing_next(framing, &next, &left)) != NULL) {
            if (strlen(line) > LINE_MAX_LENGTH)
                abort();
            memcpy(out + length, line, strlen(line) + 1);
            length += strlen(line) + 1;
        }
    }
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct pattern *pattern;
    static struct framing framing;
    enum checksum_kind kind = size > 0 ? data[0] % (CHECKSUM_CRC16_IBM_3740 + 1) : CHECKSUM_NONE;
    const char *bytes = (const char *)data + (size > 0);
    size_t n = size > 0 ? size - 1 : 0;
    char *whole = malloc(n + 1);
    char *single = malloc(n + 1);
    char error[64];
    size_t length;

    if (!whole || !single)
        abort();
    if (!pattern && pattern_open(&pattern, "^(?<a>\\w+)=(?<b>(?<c>.*?)x+)*$", error, sizeof error))
        abort();
    framing_init(&framing, "\r\n", LINE_MAX_LENGTH, kind);
    length = take(&framing, bytes, n, n > 0 ? n : 1, whole);
    framing_init(&framing, "\r\n", LINE_MAX_LENGTH, kind);
    if (take(&framing, bytes, n, 1, single) != length || memcmp(whole, single, length) != 0)
        abort();
    for (size_t at = 0; at < length; at += strlen(whole + at) + 1)
        read_line(whole + at, pattern);
    free(whole);
    free(single);
    return 0;
}
