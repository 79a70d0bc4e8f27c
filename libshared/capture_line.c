#include "capture_line.h"

#include <string.h>

#define DIGITS_MAX 15 /* below 2^53 */

static bool take(const char **at, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static bool take_time(const char **at, int64_t *out)
{
    const char *begin = *at;
    for (*out = 0; **at >= '0' && **at <= '9' && *at - begin < DIGITS_MAX; (*at)++)
        *out = *out * 10 + **at - '0';
    return *at > begin && (*begin != '0' || *at - begin == 1);
}

static bool take_topic(const char **at, char out[TOPIC_SIZE])
{
    size_t n = strcspn(*at, "\"\\");
    if (n >= TOPIC_SIZE)
        return false;
    memcpy(out, *at, n);
    out[n] = '\0';
    *at += n;
    return true;
}

static bool ends_with(const char *begin, const char **end, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(*end - begin) < length || memcmp(*end - length, text, length) != 0)
        return false;
    *end -= length;
    return true;
}

bool capture_line_split(struct capture_line *out, const char *line, size_t size)
{
    const char *at = line, *end = line + size;
    if (!take(&at, "{\"t\":") || !take_time(&at, &out->time_ms) || !take(&at, ",\"topic\":\"") ||
        !take_topic(&at, out->topic) || !take(&at, "\",\"payload\":"))
        return false;
    ends_with(at, &end, "\n");
    if (!ends_with(at, &end, "}"))
        return false;
    out->retained = ends_with(at, &end, ",\"retained\":true");
    if (!out->retained)
        ends_with(at, &end, ",\"retained\":false");
    out->payload = at;
    out->size = (size_t)(end - at);
    return true;
}
