/* Any bytes as a reading: no crash, and what is taken is written so that it reads the same again.
 */
#include "fuzz.h"
#include "reading.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char error[256] = "";

    if (reading_decode(data, size, check_written, NULL, error, sizeof error) != 0 && !error[0])
        abort();
    return 0;
}
