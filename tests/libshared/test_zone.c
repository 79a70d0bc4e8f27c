/* Zones against Python's zoneinfo, over all that the system has; clocks that are put forward and
 * back. */
#include "hours.h"
#include "zone.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define TIMES_OF_EACH "24"
#define SEED "8536"

/* As zone_mail_date() and zone_text() write it, "… +0100" and "… CET". */
static void check_at(const struct zone *zone, int64_t seconds, long offset, const char *name)
{
    struct buffer text = {0};
    struct tm tm = {0};
    time_t local = (time_t)(seconds + offset);
    struct local_time at = zone_at(zone, seconds * 1000 + 999);
    char expected[128];

    gmtime_r(&local, &tm);
    if (at.year != tm.tm_year + 1900 || at.month != tm.tm_mon + 1 || at.day != tm.tm_mday ||
        at.weekday != tm.tm_wday || at.minute != 60 * tm.tm_hour + tm.tm_min)
        fail_msg("%s at %" PRId64 ": %d-%02d-%02d, minute %d; not %+ld s from UTC", zone_name(zone),
                 seconds, at.year, at.month, at.day, at.minute, offset);
    zone_text(zone, seconds * 1000, &text);
    snprintf(expected, sizeof expected, " %s", name);
    if (!strstr(buffer_string(&text), expected))
        fail_msg("%s at %" PRId64 ": \"%s\", not %s", zone_name(zone), seconds,
                 buffer_string(&text), name);
    buffer_free(&text);
}

static void check_to(const struct zone *zone, int64_t local, int64_t seconds)
{
    struct tm tm = {0};
    time_t wall = (time_t)local;
    char text[32];
    int64_t time_ms;

    gmtime_r(&wall, &tm);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
    assert_int_equal(zone_parse(zone, text, &time_ms), 0);
    if (time_ms != seconds * 1000)
        fail_msg("%s in %s: %" PRId64 ", not %" PRId64, text, zone_name(zone), time_ms / 1000,
                 seconds);
}

static void test_all_zones_as_python(void **state)
{
    FILE *lines = popen("/usr/bin/python3 " SOURCE_DIR
                        "/tests/libshared/zone_times.py " TIMES_OF_EACH " " SEED,
                        "r");
    struct zone *zone = NULL;
    char what[8], name[ZONE_NAME_MAX + 1], abbreviation[32];
    int64_t given, answer;
    size_t n = 0, n_zones = 0;

    (void)state;
    assert_non_null(lines);
    while (fscanf(lines, "%7s %64s %" SCNd64 " %" SCNd64, what, name, &given, &answer) == 4) {
        if (!zone || strcmp(zone_name(zone), name) != 0) {
            zone_close(zone);
            if (zone_open(&zone, name) != 0)
                fail_msg("%s cannot be opened", name);
            n_zones++;
        }
        if (strcmp(what, "at") == 0 && fscanf(lines, "%31s", abbreviation) == 1)
            check_at(zone, given, answer, abbreviation);
        else if (strcmp(what, "to") == 0)
            check_to(zone, given, answer);
        n++;
    }
    zone_close(zone);
    assert_int_equal(pclose(lines), 0);
    print_message("%zu times in %zu zones\n", n, n_zones);
    assert_true(n_zones > 300 && n > 10000);
}

static int64_t utc(const char *text)
{
    int64_t time_ms;

    assert_int_equal(zone_parse(NULL, text, &time_ms), 0);
    return time_ms;
}

static int64_t berlin(const char *text)
{
    struct zone *zone;
    int64_t time_ms;

    assert_int_equal(zone_open(&zone, "Europe/Berlin"), 0);
    assert_int_equal(zone_parse(zone, text, &time_ms), 0);
    zone_close(zone);
    return time_ms;
}

/* 2026-03-29: 02:00 CET is 03:00 CEST. 2026-10-25: 03:00 CEST is 02:00 CET. */
static void test_local_times_that_do_not_come_or_come_twice(void **state)
{
    (void)state;
    assert_int_equal(berlin("2026-03-29 01:59"), utc("2026-03-29T00:59Z"));
    assert_int_equal(berlin("2026-03-29 02:30"), utc("2026-03-29T01:30Z")); /* is 03:30 */
    assert_int_equal(berlin("2026-03-29 03:00"), utc("2026-03-29T01:00Z"));
    assert_int_equal(berlin("2026-10-25 02:30"), utc("2026-10-25T00:30Z")); /* the first */
    assert_int_equal(berlin("2026-10-25 03:00"), utc("2026-10-25T02:00Z"));
    assert_int_equal(berlin("2126-07-01 12:00"), utc("2126-07-01T10:00Z")); /* by the rule */
}

/* Minutes of the span in the 24 hours from `begin` on, and whether it holds at a time in it. */
static int minutes(const char *zone_called, int from_minute, int to_minute, const char *begin)
{
    struct hours hours = {.weekdays = 0x7f, .from_minute = from_minute, .to_minute = to_minute};
    struct zone *zone;
    int n = 0;

    assert_int_equal(zone_open(&zone, zone_called), 0);
    hours.zone = zone;
    for (int i = 0; i < 24 * 60; i++)
        n += hours_contain(&hours, utc(begin) + INT64_C(60000) * i);
    zone_close(zone);
    return n;
}

static void test_hours_over_changes_of_the_clock(void **state)
{
    (void)state;
    assert_int_equal(minutes("Europe/Berlin", 22 * 60, 6 * 60, "2026-06-01T12:00Z"), 8 * 60);
    assert_int_equal(minutes("Europe/Berlin", 22 * 60, 6 * 60, "2026-03-28T12:00Z"), 7 * 60);
    assert_int_equal(minutes("Europe/Berlin", 22 * 60, 6 * 60, "2026-10-24T12:00Z"), 9 * 60);
    assert_int_equal(minutes("Europe/Berlin", 2 * 60, 3 * 60, "2026-03-28T12:00Z"), 0);
    assert_int_equal(minutes("Europe/Berlin", 150, 4 * 60, "2026-03-28T12:00Z"), 60);
    assert_int_equal(minutes("Europe/Berlin", 2 * 60, 3 * 60, "2026-10-24T12:00Z"), 2 * 60);
    assert_int_equal(minutes("Australia/Lord_Howe", 60, 150, "2026-04-04T06:00Z"), 120);
}

static void test_names(void **state)
{
    static const char *const none[] = {"", "/etc/passwd", "../etc", "Europe/Nowhere", "zone.tab/x"};
    struct zone *zone;

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(zone_open(&zone, none[i]), -ENOENT);
    assert_int_equal(zone_open(&zone, "zone.tab"), -EBADMSG);
    setenv("TZDIR", "/nowhere", 1);
    assert_int_equal(zone_open(&zone, "Europe/Berlin"), -ENOENT);
    assert_int_equal(zone_open(&zone, "UTC"), 0);
    check_at(zone, 1763805600, 0, "UTC");
    zone_close(zone);
    unsetenv("TZDIR");
}

static void check_suggestion(const char *name, const char *expected)
{
    struct config *config;
    struct zone *zone;
    char text[128], said[512] = "";
    FILE *out = fmemopen(said, sizeof said, "w");

    snprintf(text, sizeof text, "{\"time_zone\":\"%s\"}", name);
    assert_int_equal(config_open_text(&config, "test", text), 0);
    assert_int_equal(zone_configure(&zone, config_root(config), "UTC"), 0);
    assert_null(zone);
    config_report(config, out);
    fclose(out);
    if (!strstr(said, expected))
        fail_msg("%s: %s", name, said);
    config_close(config);
}

static void test_what_may_be_meant(void **state)
{
    (void)state;
    check_suggestion("Europe/Belrin", "time_zone: the system knows no zone \"Europe/Belrin\"; is "
                                      "\"Europe/Berlin\" meant?");
    check_suggestion("Tokyo", "\"Asia/Tokyo\"");
    check_suggestion("../../etc/passwd", "tzdata is needed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_zones_as_python),
        cmocka_unit_test(test_local_times_that_do_not_come_or_come_twice),
        cmocka_unit_test(test_hours_over_changes_of_the_clock),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_may_be_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
