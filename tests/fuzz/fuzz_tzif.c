/* Zone files: whatever is in them, what is taken has an offset and a name at any time. */
#include "fuzz.h"

#include "tzif.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tzif *tzif;

    if (tzif_open(&tzif, data, size) < 0)
        return 0;
    for (int64_t at = -INT64_C(5000000000); at < INT64_C(9000000000); at += 123456789)
        assert(strlen(tzif_at(tzif, at).name) <= size);
    tzif_close(tzif);
    return 0;
}
