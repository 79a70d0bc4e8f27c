#include "quiet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int days_in(int month, int year)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static struct local_time day_before(struct local_time day)
{
    day.weekday = (day.weekday + 6) % 7;
    if (--day.day > 0)
        return day;
    if (--day.month == 0) {
        day.month = 12;
        day.year--;
    }
    day.day = days_in(day.month, day.year);
    return day;
}

static bool is_on(const struct quiet *quiet, const struct local_time *day)
{
    if (quiet->weekdays >> day->weekday & 1)
        return true;
    for (size_t i = 0; i < quiet->n_dates; i++) {
        const struct quiet_date *date = &quiet->dates[i];

        if (date->month == day->month && date->day == day->day &&
            (date->year == 0 || date->year == day->year))
            return true;
    }
    return false;
}

/* A span over midnight belongs to the day on which it begins. */
bool quiet_holds(const struct quiet *quiet, enum alert_severity severity,
                 const struct local_time *now)
{
    if (!(quiet->holds >> severity & 1))
        return false;
    if (quiet->from_minute < quiet->to_minute)
        return is_on(quiet, now) && now->minute >= quiet->from_minute &&
               now->minute < quiet->to_minute;
    if (now->minute >= quiet->from_minute)
        return is_on(quiet, now);

    struct local_time yesterday = day_before(*now);

    return now->minute < quiet->to_minute && is_on(quiet, &yesterday);
}

int quiet_parse_minute(const char *text, int *out)
{
    int hour, minute, end = 0;

    if (sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || text[end] != '\0' || end != 5 ||
        hour < 0 || minute < 0 || minute > 59 || 60 * hour + minute > QUIET_DAY)
        return -EINVAL;
    *out = 60 * hour + minute;
    return 0;
}

int quiet_parse_weekday(const char *text, int *out)
{
    static const char *const names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

    for (int i = 0; i < 7; i++) {
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return 0;
        }
    }
    return -EINVAL;
}

int quiet_parse_date(const char *text, struct quiet_date *out)
{
    struct quiet_date date = {0};
    int end = 0;

    if (sscanf(text, "%4d-%2d-%2d%n", &date.year, &date.month, &date.day, &end) != 3 ||
        text[end] != '\0') {
        date.year = 0;
        if (sscanf(text, "%2d-%2d%n", &date.month, &date.day, &end) != 2 || text[end] != '\0')
            return -EINVAL;
    }
    if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > days_in(date.month, 2000))
        return -EINVAL;
    *out = date;
    return 0;
}
