#include "mqtt_url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int mqtt_url_for_library(char *out, size_t size, const char *url)
{
    static const struct {
        const char *scheme, *known;
    } schemes[] = {{"mqtt://", "tcp://"}, {"mqtts://", "ssl://"}};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        size_t length = strlen(schemes[i].scheme);
        if (strncmp(url, schemes[i].scheme, length) != 0)
            continue;
        int written = snprintf(out, size, "%s%s", schemes[i].known, url + length);
        return written < 0 || (size_t)written >= size ? -ENAMETOOLONG : 0;
    }
    return -EINVAL;
}
