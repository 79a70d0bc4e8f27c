#include "zone.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ZONES "/usr/share/zoneinfo" /* tzset(3); TZDIR goes before it */

bool zone_known(const char *name)
{
    const char *directory = getenv("TZDIR");
    char path[PATH_MAX];

    if (strcmp(name, "UTC") == 0)
        return true; /* the C library needs no file for it */
    if (*name == '\0' || *name == '/' || strstr(name, ".."))
        return false;
    snprintf(path, sizeof path, "%s/%s", directory ? directory : ZONES, name);
    return access(path, R_OK) == 0;
}

/* The entry stays in the environment once it is there, so that a later change moves nothing under
 * another thread's getenv(). */
int zone_use(const char *name)
{
    if (setenv("TZ", name ? name : ":/etc/localtime", 1) < 0)
        return -ENOMEM;
    tzset();
    return 0;
}

char *zone_current(void)
{
    const char *name = getenv("TZ");

    return name ? strdup(name) : NULL;
}

static struct tm broken_down(int64_t time_ms)
{
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm tm = {0};

    localtime_r(&seconds, &tm);
    return tm;
}

struct local_time zone_local(int64_t time_ms)
{
    struct tm tm = broken_down(time_ms);

    return (struct local_time){.year = tm.tm_year + 1900,
                               .month = tm.tm_mon + 1,
                               .day = tm.tm_mday,
                               .weekday = tm.tm_wday,
                               .minute = 60 * tm.tm_hour + tm.tm_min};
}

int zone_parse(const char *text, int64_t *out_ms)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                          "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"};

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, formats[i], &tm);

        if (end && strcmp(end, "Z") == 0)
            *out_ms = (int64_t)timegm(&tm) * 1000;
        else if (end && *end == '\0')
            *out_ms = (int64_t)mktime(&tm) * 1000;
        else
            continue;
        return 0;
    }
    return -EINVAL;
}

void zone_text(int64_t time_ms, struct buffer *out)
{
    struct tm tm = broken_down(time_ms);
    char text[64];

    if (strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", &tm) > 0)
        buffer_text(out, text);
}

/* The C library's names of days and months are English in the C locale, which is never left. */
void zone_mail_date(int64_t time_ms, struct buffer *out)
{
    struct tm tm = broken_down(time_ms);
    char text[64];

    if (strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S %z", &tm) > 0)
        buffer_text(out, text);
}
