#include "zone.h"

#include "config_suggest.h"
#include "tzif.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ZONES "/usr/share/zoneinfo" /* tzset(3); TZDIR goes before it */
#define FILE_MAX (64 * 1024)        /* bytes; the largest has a twentieth */
#define LOOK_AROUND_S (24 * 60 * 60)

struct zone {
    char name[ZONE_NAME_MAX + 1];
    struct tzif *tzif; /* NULL: UTC */
};

/* ---- the system's files ---- */

/* NULL with errno where it is not there. */
static FILE *open_file(const char *name)
{
    const char *directory = getenv("TZDIR");
    char path[PATH_MAX];

    if (*name == '\0' || *name == '/' || strstr(name, "..") || strlen(name) > ZONE_NAME_MAX) {
        errno = ENOENT;
        return NULL;
    }
    snprintf(path, sizeof path, "%s/%s", directory ? directory : ZONES, name);
    return fopen(path, "re");
}

static int read_zone(struct zone *zone, FILE *file)
{
    char *data = malloc(FILE_MAX);
    size_t size;
    int rc;

    if (!data)
        return -ENOMEM;
    size = fread(data, 1, FILE_MAX, file);
    rc = tzif_open(&zone->tzif, data, size);
    free(data);
    return rc;
}

int zone_open(struct zone **out, const char *name)
{
    FILE *file = open_file(name);
    struct zone *zone;
    int rc = 0;

    if (!file && strcmp(name, "UTC") != 0)
        return -ENOENT;
    zone = calloc(1, sizeof *zone);
    if (zone)
        snprintf(zone->name, sizeof zone->name, "%s", name);
    if (file) {
        rc = zone ? read_zone(zone, file) : 0;
        fclose(file);
    }
    if (!zone)
        return -ENOMEM;
    if (rc < 0) {
        zone_close(zone);
        return rc;
    }
    *out = zone;
    return 0;
}

void zone_close(struct zone *zone)
{
    if (!zone)
        return;
    tzif_close(zone->tzif);
    free(zone);
}

const char *zone_name(const struct zone *zone)
{
    return zone ? zone->name : "UTC";
}

/* How far it is from what was written; of a city alone, only that counts. */
static unsigned distance_to(const char *written, const char *name)
{
    const char *city = strrchr(name, '/');

    return config_edit_distance(written, city && !strchr(written, '/') ? city + 1 : name);
}

/* A name of the system's list that may have been meant; false where there is none. */
static bool suggest(const char *name, char out[ZONE_NAME_MAX + 1])
{
    FILE *list = open_file("zone.tab"); /* country, place, name; see tzselect(8) */
    unsigned nearest = UINT_MAX;
    char line[512], listed[ZONE_NAME_MAX + 1];

    while (list && fgets(line, sizeof line, list)) {
        if (*line == '#' || sscanf(line, "%*s %*s %64s", listed) != 1 ||
            distance_to(name, listed) >= nearest)
            continue;
        nearest = distance_to(name, listed);
        strcpy(out, listed);
    }
    if (list)
        fclose(list);
    return nearest != UINT_MAX && config_likely_slip(name, nearest);
}

int zone_configure(struct zone **out, struct config_node *node, const char *fallback)
{
    const char *name = config_string(node, "time_zone", fallback);
    char meant[ZONE_NAME_MAX + 1];
    int rc = zone_open(out, name);

    if (rc == 0 || rc == -ENOMEM)
        return rc;
    *out = NULL;
    if (rc == -EBADMSG)
        config_problem(node, "time_zone", "the system's file of the zone \"%s\" cannot be read",
                       name);
    else if (suggest(name, meant))
        config_problem(node, "time_zone", "the system knows no zone \"%s\"; is \"%s\" meant?", name,
                       meant);
    else
        config_problem(node, "time_zone",
                       "the system knows no zone \"%s\"; such as \"Europe/Berlin\" is meant, and "
                       "the package tzdata is needed",
                       name);
    return 0;
}

/* ---- times ---- */

static struct tzif_offset offset_at(const struct zone *zone, int64_t seconds)
{
    if (!zone || !zone->tzif)
        return (struct tzif_offset){0, "UTC"};
    return tzif_at(zone->tzif, seconds);
}

static int64_t seconds_of(int64_t time_ms)
{
    return time_ms / 1000 - (time_ms % 1000 < 0);
}

static struct tm broken_down(const struct zone *zone, int64_t time_ms)
{
    struct tzif_offset offset = offset_at(zone, seconds_of(time_ms));
    time_t local = (time_t)(seconds_of(time_ms) + offset.seconds);
    struct tm tm = {0};

    gmtime_r(&local, &tm);
    tm.tm_gmtoff = offset.seconds;
    tm.tm_zone = offset.name;
    return tm;
}

struct local_time zone_at(const struct zone *zone, int64_t time_ms)
{
    struct tm tm = broken_down(zone, time_ms);

    return (struct local_time){.year = tm.tm_year + 1900,
                               .month = tm.tm_mon + 1,
                               .day = tm.tm_mday,
                               .weekday = tm.tm_wday,
                               .minute = 60 * tm.tm_hour + tm.tm_min};
}

/* By the offset of the day before, or else by that of the day after; a time that does not come is
 * by the former too, which makes it later than the change by as much as it was into the gap. */
static int64_t to_utc(const struct zone *zone, int64_t local)
{
    int64_t before = local - offset_at(zone, local - LOOK_AROUND_S).seconds;
    int64_t after = local - offset_at(zone, local + LOOK_AROUND_S).seconds;

    if (before + offset_at(zone, before).seconds != local &&
        after + offset_at(zone, after).seconds == local)
        return after;
    return before;
}

int zone_parse(const struct zone *zone, const char *text, int64_t *out_ms)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
                                          "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"};

    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {0};
        const char *end = strptime(text, formats[i], &tm);

        if (end && strcmp(end, "Z") == 0)
            *out_ms = (int64_t)timegm(&tm) * 1000;
        else if (end && *end == '\0')
            *out_ms = to_utc(zone, timegm(&tm)) * 1000;
        else
            continue;
        return 0;
    }
    return -EINVAL;
}

void zone_text(const struct zone *zone, int64_t time_ms, struct buffer *out)
{
    struct tm tm = broken_down(zone, time_ms);
    char text[64];

    if (strftime(text, sizeof text, "%Y-%m-%d %H:%M %Z", &tm) > 0)
        buffer_text(out, text);
}

/* The C library's names of days and months are English in the C locale, which is never left. */
void zone_mail_date(const struct zone *zone, int64_t time_ms, struct buffer *out)
{
    struct tm tm = broken_down(zone, time_ms);
    char text[64];

    if (strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S %z", &tm) > 0)
        buffer_text(out, text);
}
