/* report.c in virtual time. */
#include "report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct fixture {
    struct report report;
    struct reading reading;
    int64_t now_ms;
};

static void begin(struct fixture *fixture, double absolute, double percent)
{
    const struct report_band band = {absolute, percent};
    const struct report_band none = {0, 0};

    *fixture = (struct fixture){.now_ms = 5000000};
    assert_int_equal(report_open(&fixture->report, 2, 60000), 0);
    report_add(&fixture->report, "level", &band);
    report_add(&fixture->report, "mode", &none);
}

static void end(struct fixture *fixture)
{
    report_close(&fixture->report);
    reading_free(&fixture->reading);
}

/* A second later; NULL for a good level. */
static bool says(struct fixture *fixture, double level, const char *fault, const char *mode)
{
    fixture->now_ms += 1000;
    reading_reset(&fixture->reading, fixture->now_ms, 0);
    if (fault)
        reading_add_fault(&fixture->reading, "level", fault);
    else
        reading_add(&fixture->reading, "level", value_number(level));
    reading_add(&fixture->reading, "mode", value_text(mode));
    return report_due(&fixture->report, &fixture->reading, fixture->now_ms);
}

static void keeps_back_what_did_not_change(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 0, 0);
    assert_true(says(&f, 1, NULL, "auto"));
    assert_false(says(&f, 1, NULL, "auto"));
    assert_true(says(&f, 1.0000001, NULL, "auto"));
    assert_true(says(&f, 1.0000001, NULL, "manual"));
    assert_false(says(&f, 1.0000001, NULL, "manual"));
    end(&f);
}

static void measures_from_what_was_published(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 0.5, 0);
    assert_true(says(&f, 10, NULL, "auto"));
    assert_false(says(&f, 10.5, NULL, "auto"));
    assert_false(says(&f, 10.3, NULL, "auto"));
    assert_true(says(&f, 10.6, NULL, "auto")); /* a drift, never more than 0.3 at a time */
    assert_false(says(&f, 10.2, NULL, "auto"));
    assert_true(says(&f, 10.0, NULL, "auto"));
    end(&f);
}

static void takes_percent_of_the_value_and_the_wider_band(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1, 10);
    assert_true(says(&f, -200, NULL, "auto"));
    assert_false(says(&f, -220, NULL, "auto"));
    assert_true(says(&f, -221, NULL, "auto"));
    assert_true(says(&f, 0, NULL, "auto"));
    assert_false(says(&f, 1, NULL, "auto")); /* 10 % of nothing is nothing */
    assert_true(says(&f, 1.5, NULL, "auto"));
    end(&f);
}

static void tells_faults_as_they_come_and_go(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 1000, 0);
    assert_true(says(&f, 1, NULL, "auto"));
    assert_true(says(&f, 0, "timeout", "auto"));
    assert_false(says(&f, 0, "timeout", "auto"));
    assert_true(says(&f, 0, "out_of_range", "auto"));
    assert_true(says(&f, 1, NULL, "auto"));
    assert_false(says(&f, 2, NULL, "auto"));
    end(&f);
}

static void beats_without_a_change(void **state)
{
    struct fixture f;
    int said = 0;

    (void)state;
    begin(&f, 0, 0);
    for (int i = 0; i < 24 * 3600; i++)
        said += says(&f, 1, NULL, "auto");
    assert_int_equal(said, 24 * 60);
    end(&f);
}

static void begins_anew_where_the_last_may_be_lost(void **state)
{
    struct fixture f;

    (void)state;
    begin(&f, 0, 0);
    assert_true(says(&f, 1, NULL, "auto"));
    assert_false(says(&f, 1, NULL, "auto"));
    report_forget(&f.report);
    assert_true(says(&f, 1, NULL, "auto"));
    assert_false(says(&f, 1, NULL, "auto"));
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_back_what_did_not_change),
        cmocka_unit_test(measures_from_what_was_published),
        cmocka_unit_test(takes_percent_of_the_value_and_the_wider_band),
        cmocka_unit_test(tells_faults_as_they_come_and_go),
        cmocka_unit_test(beats_without_a_change),
        cmocka_unit_test(begins_anew_where_the_last_may_be_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
