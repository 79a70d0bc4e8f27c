#include "hours.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

static bool is_on(const struct hours *hours, const struct local_time *day)
{
    if (hours->weekdays >> day->weekday & 1)
        return true;
    for (size_t i = 0; i < hours->n_dates; i++) {
        const struct hours_date *date = &hours->dates[i];

        if (date->month == day->month && date->day == day->day &&
            (date->year == 0 || date->year == day->year))
            return true;
    }
    return false;
}

/* A span over midnight belongs to the day on which it begins. */
bool hours_contain(const struct hours *hours, int64_t time_ms)
{
    struct local_time now = zone_at(hours->zone, time_ms), yesterday;

    if (hours->from_minute < hours->to_minute)
        return is_on(hours, &now) && now.minute >= hours->from_minute &&
               now.minute < hours->to_minute;
    if (now.minute >= hours->from_minute)
        return is_on(hours, &now);
    yesterday = day_before(now);
    return now.minute < hours->to_minute && is_on(hours, &yesterday);
}

static int parse_minute(const char *text, int *out)
{
    int hour, minute, end = 0;

    if (sscanf(text, "%2d:%2d%n", &hour, &minute, &end) != 2 || text[end] != '\0' || end != 5 ||
        hour < 0 || minute < 0 || minute > 59 || 60 * hour + minute > HOURS_DAY)
        return -EINVAL;
    *out = 60 * hour + minute;
    return 0;
}

static int parse_weekday(const char *text, int *out)
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

static int parse_date(const char *text, struct hours_date *out)
{
    struct hours_date date = {0};
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

static unsigned configure_weekdays(struct config_node *node)
{
    struct config_node *array = config_array(node, "days");
    unsigned days = 0;

    if (!config_has(node, "days"))
        return config_has(node, "dates") ? 0 : 0x7f;
    for (size_t i = 0; i < config_length(array); i++) {
        int day;

        if (parse_weekday(config_string_at(array, i), &day) < 0)
            config_problem(node, "days", "there are mon, tue, wed, thu, fri, sat and sun");
        else
            days |= 1u << day;
    }
    return days;
}

static int configure_dates(struct hours *hours, struct config_node *node)
{
    struct config_node *array = config_array(node, "dates");
    size_t n = config_length(array);

    hours->dates = calloc(n ? n : 1, sizeof *hours->dates);
    if (!hours->dates)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        if (parse_date(config_string_at(array, i), &hours->dates[hours->n_dates]) < 0)
            config_problem(node, "dates", "a date is \"2026-12-24\", or \"12-24\" for every year");
        else
            hours->n_dates++;
    return 0;
}

static int configure_minute(struct config_node *node, const char *key, const char *fallback)
{
    int minute = 0;

    if (parse_minute(config_string(node, key, fallback), &minute) < 0)
        config_problem(node, key, "a time is \"00:00\" to \"24:00\"");
    return minute;
}

int hours_configure(struct hours *out, struct config_node *node)
{
    out->from_minute = configure_minute(node, "from", "00:00");
    out->to_minute = configure_minute(node, "to", "24:00");
    out->weekdays = configure_weekdays(node);
    return configure_dates(out, node);
}

void hours_free(struct hours *hours)
{
    free(hours->dates);
}

int hours_minutes_left(const struct hours *hours, int64_t time_ms)
{
    int minute = zone_at(hours->zone, time_ms).minute;
    int next = HOURS_DAY;
    if (hours->from_minute > minute && hours->from_minute < next)
        next = hours->from_minute;
    if (hours->to_minute > minute && hours->to_minute < next)
        next = hours->to_minute;
    return next - minute;
}
