/* Any bytes as a reading: no crash, what is taken is written so that it reads the same again, and
 * what the plain form's reader takes the complete one takes too and reads the same. */
#include "fuzz.h"
#include "reading.h"
#include "reading_json.h"
#include "reading_plain.h"

#include <stdlib.h>
#include <string.h>

static void ignore(void *self, const struct reading *reading)
{
    (void)self;
    (void)reading;
}

static void check_written(void *self, const struct reading *reading)
{
    struct buffer out = {0};
    char error[256];

    (void)self;
    if (reading_encode(reading, &out) != 0 ||
        reading_decode(out.data, out.size, ignore, NULL, error, sizeof error) != 0)
        abort();
    buffer_free(&out);
}

static void write_down(void *self, const struct reading *reading)
{
    if (reading_encode(reading, self) != 0)
        abort();
}

static void compare_readers(const uint8_t *data, size_t size)
{
    struct buffer plain = {0}, complete = {0};
    char error[256];

    if (reading_plain_decode(data, size, write_down, &plain) == 1) {
        if (reading_json_decode(data, size, write_down, &complete, error, sizeof error) != 0 ||
            plain.size != complete.size || memcmp(plain.data, complete.data, plain.size) != 0)
            abort();
    } else if (plain.size > 0) {
        abort();
    }
    buffer_free(&plain);
    buffer_free(&complete);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[256] = "";

    compare_readers(data, size);

    if (reading_decode(data, size, check_written, NULL, error, sizeof error) != 0 && !error[0])
        abort();
    return 0;
}
