#include "tzif_rule.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define DAY 86400
#define HOUR 3600

/* ---- the text ---- */

struct text {
    const char *at, *end;
};

static bool comes(const struct text *text, char c)
{
    return text->at < text->end && *text->at == c;
}

static bool take(struct text *text, char c)
{
    bool there = comes(text, c);

    text->at += there;
    return there;
}

static bool take_number(struct text *text, int max, int *out)
{
    const char *begin = text->at;

    for (*out = 0; text->at < text->end && isdigit((unsigned char)*text->at); text->at++) {
        *out = 10 * *out + (*text->at - '0');
        if (*out > max)
            return false;
    }
    return text->at > begin;
}

/* Letters, or anything between < and >. */
static bool take_name(struct text *text, char out[TZIF_NAME_SIZE])
{
    bool quoted = take(text, '<');
    size_t n = 0;

    while (text->at < text->end &&
           (quoted ? *text->at != '>' : isalpha((unsigned char)*text->at) != 0)) {
        if (n == TZIF_NAME_SIZE - 1)
            return false;
        out[n++] = *text->at++;
    }
    out[n] = '\0';
    return n >= 3 && (!quoted || take(text, '>'));
}

/* [+-]h[h[h]][:mm[:ss]], in seconds. */
static bool take_time(struct text *text, int max_hours, int32_t *out)
{
    bool negative = take(text, '-');
    int hours, minutes = 0, seconds = 0;

    if (!negative)
        take(text, '+');
    if (!take_number(text, max_hours, &hours))
        return false;
    if (take(text, ':')) {
        if (!take_number(text, 59, &minutes))
            return false;
        if (take(text, ':') && !take_number(text, 59, &seconds))
            return false;
    }
    *out = HOUR * hours + 60 * minutes + seconds;
    if (negative)
        *out = -*out;
    return true;
}

static bool take_day(struct text *text, struct tzif_change *out)
{
    if (take(text, 'M')) {
        out->kind = TZIF_MONTH_WEEK;
        return take_number(text, 12, &out->month) && out->month >= 1 && take(text, '.') &&
               take_number(text, 5, &out->week) && out->week >= 1 && take(text, '.') &&
               take_number(text, 6, &out->day);
    }
    out->kind = take(text, 'J') ? TZIF_JULIAN : TZIF_YEAR_DAY;
    return take_number(text, 365, &out->day) && (out->kind == TZIF_YEAR_DAY || out->day >= 1);
}

static bool take_change(struct text *text, struct tzif_change *out)
{
    out->time = 2 * HOUR;
    return take(text, ',') && take_day(text, out) &&
           (!take(text, '/') || take_time(text, 167, &out->time));
}

static bool take_offset(struct text *text, struct tzif_offset *out)
{
    if (!take_time(text, 24, &out->seconds))
        return false;
    out->seconds = -out->seconds; /* the text counts to the west */
    return true;
}

static bool take_rule(struct text *text, struct tzif_rule *out)
{
    if (!take_name(text, out->standard_name) || !take_offset(text, &out->standard))
        return false;
    if (text->at == text->end)
        return true;
    out->has_summer = true;
    out->summer.seconds = out->standard.seconds + HOUR;
    return take_name(text, out->summer_name) &&
           (comes(text, ',') || take_offset(text, &out->summer)) &&
           take_change(text, &out->begin) && take_change(text, &out->end);
}

int tzif_rule_parse(struct tzif_rule *out, const char *text, size_t size)
{
    struct text rest = {text, text + size};

    *out = (struct tzif_rule){0};
    out->standard.name = out->standard_name;
    out->summer.name = out->summer_name;
    return take_rule(&rest, out) && rest.at == rest.end ? 0 : -EBADMSG;
}

/* ---- the times ---- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in(int64_t seconds)
{
    return seconds / DAY - (seconds % DAY < 0);
}

/* When the year begins, by the calendar of Gregory: 477 of the years before 1970 are leap years. */
static int64_t start_of_year(int year)
{
    int64_t before = year - 1;

    return ((year - INT64_C(1970)) * 365 + before / 4 - before / 100 + before / 400 - 477) * DAY;
}

static int year_of(int64_t seconds)
{
    int year = (int)(1970 + seconds / (365 * DAY));

    while (start_of_year(year) > seconds)
        year--;
    while (start_of_year(year + 1) <= seconds)
        year++;
    return year;
}

static int64_t start_of(int year, int month)
{
    static const int days_before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

    return start_of_year(year) +
           (int64_t)(days_before[month - 1] + (is_leap(year) && month > 2)) * DAY;
}

static int weekday_of(int64_t start)
{
    return (int)(((days_in(start) + 4) % 7 + 7) % 7); /* 1970 began on a Thursday */
}

/* Day of the week `week` of the month; the last one where there are only four. */
static int64_t month_week(const struct tzif_change *change, int year)
{
    int64_t start = start_of(year, change->month);
    int64_t next = start_of(year, change->month + 1);
    int64_t at = start + (int64_t)((change->day - weekday_of(start) + 7) % 7) * DAY +
                 (int64_t)(change->week - 1) * 7 * DAY;

    return at < next ? at : at - 7 * DAY;
}

/* By the local clock that is changed, as if that were UTC. */
static int64_t change_at(const struct tzif_change *change, int year)
{
    int64_t start = start_of_year(year);

    switch (change->kind) {
    case TZIF_MONTH_WEEK:
        start = month_week(change, year);
        break;
    case TZIF_JULIAN:
        start += (int64_t)(change->day - 1 + (is_leap(year) && change->day >= 60)) * DAY;
        break;
    default:
        start += (int64_t)change->day * DAY;
        break;
    }
    return start + change->time;
}

static bool is_summer(const struct tzif_rule *rule, int64_t seconds)
{
    int year = year_of(seconds + rule->standard.seconds);
    int64_t begin = change_at(&rule->begin, year) - rule->standard.seconds;
    int64_t end = change_at(&rule->end, year) - rule->summer.seconds;

    if (begin < end)
        return seconds >= begin && seconds < end;
    return seconds >= begin || seconds < end; /* in the south it spans the year's end */
}

struct tzif_offset tzif_rule_at(const struct tzif_rule *rule, int64_t seconds)
{
    return rule->has_summer && is_summer(rule, seconds) ? rule->summer : rule->standard;
}
