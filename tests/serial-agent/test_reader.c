/* From lines to readings: numbers of lines, pace, and values named for actuators. */
#include "mapping.h"
#include "reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct poll_settings settings = {
    .measurement = "m",
    .n_points = 1,
    .points = {{.name = "t", .scale = 1, .decimals = -1, .min = -100, .max = 100}},
    .decoder = {.format = DECODE_PAIRS,
                .prefix = "",
                .separator = ",",
                .assign = ":",
                .n_fields = 2,
                .fields = {"T", "N"}},
    .modulo = 100,
    .interval_ms = 100,
    .burst = 2,
};

static void take(struct reader *reader, const char *line)
{
    assert_true(reader_take(reader, line, 1000));
}

static void gaps_in_the_numbers_are_counted(void **state)
{
    static const struct {
        const char *line;
        uint64_t missed, repeated, restarts, unread; /* after it */
    } cases[] = {
        {"T:1,N:97", 0, 0, 0, 0}, {"T:1,N:98", 0, 0, 0, 0},  {"T:1,N:98", 0, 1, 0, 0},
        {"T:1,N:1", 2, 1, 0, 0},  {"T:1,N:x", 2, 1, 0, 1},   {"T:1,N:100", 2, 1, 0, 2},
        {"T:1", 2, 1, 0, 3},      {"T:1,N:2.5", 2, 1, 0, 4}, {"T:1,N:51", 51, 1, 0, 4},
        {"T:1,N:3", 51, 1, 1, 4}, {"T:1,N:4", 51, 1, 1, 4},
    };
    struct reader reader;

    (void)state;
    assert_int_equal(reader_open(&reader, &settings, 64), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        take(&reader, cases[i].line);
        if (reader.sequence.missed != cases[i].missed ||
            reader.sequence.repeated != cases[i].repeated ||
            reader.sequence.restarts != cases[i].restarts ||
            reader.sequence.unread != cases[i].unread)
            fail_msg("after %zu, %s: missed %d repeated %d restarts %d unread %d", i, cases[i].line,
                     (int)reader.sequence.missed, (int)reader.sequence.repeated,
                     (int)reader.sequence.restarts, (int)reader.sequence.unread);
    }
    reader_close(&reader);
}

static void what_is_bad_is_named_and_counted(void **state)
{
    struct reader reader;

    (void)state;
    assert_int_equal(reader_open(&reader, &settings, 64), 0);
    reader_fail(&reader, "timeout", 7000);
    assert_int_equal(reader.reading.ts_ms, 7000);
    assert_int_equal(reader.reading.n_fields, 0);
    assert_int_equal(reader.reading.n_faults, 1);
    assert_string_equal(reader.reading.faults[0].name, "t");
    assert_string_equal(reader.reading.faults[0].reason, "timeout");
    assert_int_equal(reader.bad_values, 1);
    take(&reader, "T:101,N:1");
    assert_int_equal(reader.bad_values, 2);
    take(&reader, "T:100,N:2");
    assert_int_equal(reader.bad_values, 2);
    reader_close(&reader);
}

static void a_flood_is_thinned_and_the_newest_kept(void **state)
{
    struct reader reader;
    int published = 0;
    char line[32];

    (void)state;
    assert_int_equal(reader_open(&reader, &settings, 64), 0);
    assert_int_equal(reader_due_ms(&reader), INT64_MAX);
    for (int i = 0; i < 50; i++) {
        snprintf(line, sizeof line, "T:%d,N:%d", i, i);
        take(&reader, line);
        reader_offer(&reader);
        published += reader_release(&reader, 5000);
    }
    assert_int_equal(published, 2);
    assert_int_equal(reader.thinned, 47);
    assert_int_equal(reader.sequence.missed, 0); /* all were seen */
    assert_true(reader_send(&reader, 5000));
    assert_int_equal(reader_due_ms(&reader), 5100);
    assert_false(reader_release(&reader, 5099));
    assert_false(reader_take(&reader, "OK", 1000)); /* not its own: the newest stays */
    assert_true(reader_release(&reader, 5100));
    assert_true(reading_find(&reader.reading, "t")->number == 49);
    assert_true(reader_send(&reader, 5100));
    assert_int_equal(reader_due_ms(&reader), INT64_MAX);
    reader_close(&reader);
}

static void a_steady_stream_within_its_pace_is_not_thinned(void **state)
{
    struct reader reader;

    (void)state;
    assert_int_equal(reader_open(&reader, &settings, 64), 0);
    for (int64_t now_ms = 0; now_ms < 10000; now_ms += 100) {
        take(&reader, "T:1");
        reader_offer(&reader);
        assert_true(reader_release(&reader, now_ms));
    }
    assert_int_equal(reader.thinned, 0);
    reader_close(&reader);
}

static void one_alone_goes_at_once_those_that_follow_go_together(void **state)
{
    struct poll_settings gathering = settings;
    struct reader reader;
    int sent = 0;

    (void)state;
    gathering.interval_ms = 1;
    gathering.gather_ms = 20;
    assert_int_equal(reader_open(&reader, &gathering, 64), 0);
    for (int64_t now_ms = 1000; now_ms < 2000; now_ms += 5) {
        take(&reader, "T:1");
        reader_offer(&reader);
        assert_true(reader_release(&reader, now_ms));
        sent += reader_send(&reader, now_ms);
        if (now_ms == 1000)
            assert_int_equal(sent, 1);
        else if (reader_due_ms(&reader) != INT64_MAX)
            assert_in_range(reader_due_ms(&reader), now_ms + 1, now_ms + 15);
    }
    assert_int_equal(sent, 50);
    assert_false(reader_send(&reader, 1999));
    assert_true(reader_send(&reader, 2000));
    assert_false(reader_send(&reader, 3000)); /* nothing is left */
    reader_close(&reader);
}

/* ---- values by name ---- */

static bool configures(const char *text, enum actuator_type type, struct mapping *mapping,
                       struct config **config)
{
    static const struct actuator_settings any = {.name = "a", .min = -1000, .max = 1000};
    struct actuator_settings actuator = any;

    actuator.type = type;
    assert_int_equal(config_open_text(config, "test", text), 0);
    mapping_configure(mapping, config_root(*config), &actuator);
    return config_check(*config);
}

static void values_go_by_their_names(void **state)
{
    struct value off = value_bool(false), auto_ = value_text("auto"), two = value_number(2);
    struct value other = value_text("eco"), said;
    struct mapping mapping;
    struct config *config;

    (void)state;
    assert_true(
        configures("{\"values\":{\"ON\":\"1\",\"OFF\":\"0\"}}", ACTUATOR_BOOL, &mapping, &config));
    assert_string_equal(mapping_say(&mapping, &off).text, "0");
    said = value_text("1");
    assert_true(mapping_hear(&mapping, &said).boolean);
    config_close(config);

    assert_true(configures("{\"values\":{\"auto\":\"2\",\"manual\":\"M\"}}", ACTUATOR_TEXT,
                           &mapping, &config));
    assert_string_equal(mapping_say(&mapping, &auto_).text, "2");
    assert_int_equal(mapping_say(&mapping, &other).type, VALUE_NONE);
    assert_string_equal(mapping_hear(&mapping, &two).text, "auto");
    assert_string_equal(mapping_hear(&mapping, &other).text, "eco");
    config_close(config);

    assert_true(configures("{\"values\":{\"2\":\"HIGH\"}}", ACTUATOR_NUMBER, &mapping, &config));
    assert_string_equal(mapping_say(&mapping, &two).text, "HIGH");
    config_close(config);
    assert_true(configures("{}", ACTUATOR_NUMBER, &mapping, &config));
    assert_true(mapping_say(&mapping, &two).number == 2);
    config_close(config);
}

static void names_that_are_none_are_refused(void **state)
{
    static const struct {
        const char *text;
        enum actuator_type type;
    } cases[] = {{"{\"values\":{\"maybe\":\"1\"}}", ACTUATOR_BOOL},
                 {"{\"values\":{\"ON\":\"1\",\"true\":\"2\"}}", ACTUATOR_BOOL},
                 {"{\"values\":{\"x\":\"1\"}}", ACTUATOR_NUMBER},
                 {"{\"values\":{\"ON\":1}}", ACTUATOR_BOOL}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mapping mapping;
        struct config *config;

        if (configures(cases[i].text, cases[i].type, &mapping, &config))
            fail_msg("%s was taken", cases[i].text);
        config_close(config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_in_the_numbers_are_counted),
        cmocka_unit_test(what_is_bad_is_named_and_counted),
        cmocka_unit_test(a_flood_is_thinned_and_the_newest_kept),
        cmocka_unit_test(a_steady_stream_within_its_pace_is_not_thinned),
        cmocka_unit_test(one_alone_goes_at_once_those_that_follow_go_together),
        cmocka_unit_test(values_go_by_their_names),
        cmocka_unit_test(names_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
