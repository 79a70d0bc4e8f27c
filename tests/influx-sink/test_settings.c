/* What influx-sink makes of its configuration: targets and points. */
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STATE "\"service\":{\"state_dir\":\"/var/lib/x\"},"
#define FILE_TARGET "{\"kind\":\"file\",\"url\":\"file:///a\"}"

static struct config *config;
static struct settings *settings;
static bool good;

static void read_text(const char *text)
{
    struct config_node *root;

    assert_int_equal(config_open_text(&config, "test", text), 0);
    root = config_root(config);
    assert_int_equal(settings_read(&settings, root), 0);
    good = config_check(config);
}

static void done(void)
{
    settings_free(settings);
    config_close(config);
}

static void check_problem(const char *text, const char *words)
{
    char *report = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&report, &size);

    read_text(text);
    config_report(config, out);
    fclose(out);
    assert_false(good);
    if (!strstr(report, words))
        fail_msg("'%s' is not in '%s'", words, report);
    free(report);
    done();
}

static void test_one_target(void **state)
{
    (void)state;
    read_text("{" STATE "\"targets\":[" FILE_TARGET "]}");
    assert_true(good);
    assert_int_equal(settings->n_targets, 1);
    assert_string_equal(settings->targets[0].name, "main");
    assert_string_equal(settings->readers[0], "main");
    assert_null(settings->readers[1]);
    assert_string_equal(settings->types_directory, "/var/lib/x");
    assert_int_equal(settings->batch_points, 5000);
    assert_int_equal(settings->batch_age_ms, 1000);
    assert_int_equal(settings->spool_max_age_ms, 0);
    done();
}

static void test_several_targets(void **state)
{
    (void)state;
    read_text("{" STATE "\"spool\":{\"max_age\":\"7d\"},\"targets\":["
              "{\"name\":\"near\",\"kind\":\"influxdb3\",\"url\":\"http://x\",\"database\":\"d\"},"
              "{\"name\":\"far\",\"kind\":\"file\",\"url\":\"file:///"
              "a\",\"max_size\":\"1MiB\",\"keep\":2}]}");
    assert_true(good);
    assert_int_equal(settings->n_targets, 2);
    assert_string_equal(settings->readers[1], "far");
    assert_int_equal(settings->targets[0].kind, TARGET_INFLUXDB3);
    assert_int_equal(settings->targets[1].max_bytes, 1 << 20);
    assert_int_equal(settings->targets[1].keep, 2);
    assert_int_equal(settings->spool_max_age_ms, 7 * 86400000);
    done();
}

static void test_posts_are_packed_for_stores_elsewhere(void **state)
{
    (void)state;
    read_text("{" STATE "\"targets\":["
              "{\"name\":\"a\",\"kind\":\"influxdb3\",\"url\":\"http://x:1\",\"database\":\"d\"},"
              "{\"name\":\"b\",\"kind\":\"influxdb3\",\"url\":\"http://127.0.0.1:1\",\"database\":"
              "\"d\"},"
              "{\"name\":\"c\",\"kind\":\"influxdb3\",\"url\":\"http://localhost\",\"database\":"
              "\"d\",\"gzip\":true}]}");
    assert_true(good);
    assert_true(settings->targets[0].gzip);
    assert_false(settings->targets[1].gzip);
    assert_true(settings->targets[2].gzip);
    done();
}

static void test_points(void **state)
{
    const struct mapping *mapping;

    (void)state;
    read_text("{" STATE "\"targets\":[" FILE_TARGET "],\"encode\":{\"integers\":[\"a/b*\"],"
              "\"window\":{\"past\":\"2h\",\"future\":\"0s\"},\"rules\":[{\"topics\":\"+/+/#\","
              "\"tags\":{\"area\":\"north\"},\"measurement\":\"m\",\"fields\":{\"x\":\"y\"}}]}}");
    assert_true(good);
    mapping = &settings->encode.mapping;
    assert_int_equal(settings->encode.past_ms, 7200000);
    assert_int_equal(settings->encode.future_ms, 0);
    assert_true(mapping_is_integer(mapping, "a", "bc"));
    assert_false(mapping_is_integer(mapping, "a", "c"));
    assert_int_equal(mapping->n_rules, 1);
    assert_string_equal(mapping->rules[0].measurement, "m");
    assert_string_equal(mapping->rules[0].tags[0].to, "north");
    assert_string_equal(mapping->rules[0].fields[0].from, "x");
    done();
}

static void test_problems_are_named(void **state)
{
    (void)state;
    check_problem("{" STATE "\"targets\":[]}", "targets");
    check_problem("{" STATE "\"targets\":[" FILE_TARGET "," FILE_TARGET "]}",
                  "'main' is the name of another target already");
    check_problem("{" STATE
                  "\"targets\":[{\"name\":\"A b\",\"kind\":\"file\",\"url\":\"file:///a\"}]}",
                  "'A b' is no name");
    check_problem("{" STATE "\"targets\":[{\"kind\":\"influxdb3\",\"url\":\"http://x\"}]}",
                  "targets[0].database");
    check_problem("{" STATE "\"targets\":[{\"kind\":\"influxdb4\",\"url\":\"http://x\"}]}",
                  "influxdb3");
    check_problem("{" STATE "\"targets\":[" FILE_TARGET "],\"encode\":{\"integers\":[\"units\"]}}",
                  "measurement/field");
    check_problem("{" STATE "\"targets\":[" FILE_TARGET "],\"encode\":{\"rules\":[{\"topics\":"
                  "\"#\",\"tags\":{\"location\":\"x\"}}]}}",
                  "encode.rules[0].tags.location");
    check_problem("{" STATE "\"targets\":[" FILE_TARGET "],\"encode\":{\"rules\":[{\"tags\":{}}]}}",
                  "encode.rules[0].topics");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_target),
        cmocka_unit_test(test_several_targets),
        cmocka_unit_test(test_posts_are_packed_for_stores_elsewhere),
        cmocka_unit_test(test_points),
        cmocka_unit_test(test_problems_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
