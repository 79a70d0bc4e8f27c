#include "memory_read.h"

#include "crc32c.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define OLDEST_VERSION 2 /* without a checksum */

/* The number `key` in the object `kind` of the line; stays as it is where it is absent. */
static int read_number(const struct jsonr *in, const char *line, const char *kind, const char *key,
                       int64_t *out)
{
    struct jsonr document = *in, part = *in;
    int rc = jsonr_parse_object(&document, line, strlen(line));

    if (rc < 0)
        return rc;
    rc = jsonr_object(&document, kind, JSONR_REQUIRED, &part.object);
    if (rc == 0)
        rc = jsonr_integer(&part, key, JSONR_OPTIONAL, out);
    jsonr_free(document.object);
    return rc;
}

static int check_version(const struct jsonr *in, const char *line, int64_t *version)
{
    int rc = read_number(in, line, "memory", "version", version);

    if (rc == -EBADMSG)
        return jsonr_fail(in, NULL,
                          "it was not written by the alerter, or its beginning is damaged");
    if (rc == 0 && *version > MEMORY_VERSION)
        return jsonr_fail(in, NULL,
                          "it is of a newer program: version %" PRId64 ", and this one knows %d",
                          *version, MEMORY_VERSION);
    if (rc == 0 && *version < OLDEST_VERSION)
        return jsonr_fail(in, NULL, "version %" PRId64 " is not known (any more)", *version);
    return rc;
}

static int check_sum(const struct jsonr *in, const char *line, int64_t version, uint32_t sum)
{
    int64_t written = -1;
    int rc = read_number(in, line, "end", "crc", &written);

    if (rc == -EBADMSG)
        return jsonr_fail(in, NULL, "its end is damaged or cut off");
    if (rc == 0 && written < 0 && version > OLDEST_VERSION)
        rc = jsonr_fail(in, NULL, "the checksum is missing: it is damaged");
    if (rc == 0 && written >= 0 && written != sum)
        rc = jsonr_fail(in, NULL, "the checksum is another: it is damaged");
    return rc;
}

int memory_check(FILE *file, const struct jsonr *in)
{
    int64_t version = 0;
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    uint32_t sum = 0; /* of the lines before */
    bool ended = false;
    int rc = 0;

    while (rc == 0 && (size = getline(&line, &capacity, file)) >= 0) {
        if (version == 0)
            rc = check_version(in, line, &version);
        else if (ended)
            rc = jsonr_fail(in, NULL, "something follows its end");
        ended = strncmp(line, "{\"end\":", 7) == 0;
        if (rc == 0 && ended)
            rc = check_sum(in, line, version, sum);
        sum = crc32c(sum, line, (size_t)size);
    }
    free(line);
    if (rc == 0 && ferror(file))
        return -EIO;
    return rc == 0 && !ended ? jsonr_fail(in, NULL, "the end is missing: it was cut off") : rc;
}
