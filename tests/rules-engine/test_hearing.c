/* Which shard a device belongs to, and whom a shard has to hear. */
#include "hearing.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_parts(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "1", "0/2", "3/2", "1/0", "1/1025", "1/2x", "/2", "a/b"};
    struct shard shard;
    assert_int_equal(shard_parse(&shard, "2/3"), 0);
    assert_int_equal(shard.index, 1);
    assert_int_equal(shard.n, 3);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (shard_parse(&shard, bad[i]) != -EINVAL)
            fail_msg("%s is taken", bad[i]);
}

/* Written down once and for all: a new release must not hand devices around. FNV-1a, 64 bits, of
 * "location/device/", mixed as MurmurHash3 does at its end, modulo n. */
static void test_a_device_stays_where_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *location, *device;
        unsigned of_two, of_seven;
    } cases[] = {
        {"facility_a", "greenhouse_001", 1, 2},
        {"facility_a", "line_001", 0, 2},
        {"facility_b", "line_001", 0, 5},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (unsigned k = 0; k < 7; k++) {
            struct shard of_two = {k, 2}, of_seven = {k, 7};
            assert_int_equal(shard_owns(&of_two, cases[i].location, cases[i].device),
                             k == cases[i].of_two);
            assert_int_equal(shard_owns(&of_seven, cases[i].location, cases[i].device),
                             k == cases[i].of_seven);
        }
}

static void test_parts_are_about_equal(void **state)
{
    (void)state;
    enum { N = 3, DEVICES = 3000 };
    size_t n[N] = {0};
    for (unsigned i = 0; i < DEVICES; i++)
        for (unsigned k = 0; k < N; k++) {
            char device[32];
            struct shard shard = {k, N};
            snprintf(device, sizeof(device), "meter_%u", i);
            n[k] += shard_owns(&shard, "hall", device);
        }
    assert_int_equal(n[0] + n[1] + n[2], DEVICES);
    for (unsigned k = 0; k < N; k++)
        assert_in_range(n[k], DEVICES / N * 9 / 10, DEVICES / N * 11 / 10);
}

/* As people name them: few, and numbered. */
static void test_a_dozen_is_shared_too(void **state)
{
    (void)state;
    struct shard shard = {0, 2};
    size_t n = 0;
    for (unsigned i = 1; i <= 12; i++) {
        char device[32];
        snprintf(device, sizeof(device), "greenhouse_%03u", i);
        n += shard_owns(&shard, "a", device);
    }
    assert_in_range(n, 3, 9);
}

static void test_named_devices_are_heard_by_all(void **state)
{
    (void)state;
    struct config *config;
    void *made;
    assert_int_equal(
        config_open_text(&config, "test",
                         "{\"rules\":[{\"name\":\"r\",\"select\":{\"measurement\":\"m\"},"
                         "\"when\":\"t > roof.t and a.mast.wind.speed > 3 and t > roof.h\","
                         "\"then\":[{\"command\":{\"device\":\"siren\",\"actuator\":\"x\","
                         "\"value\":true}}]}]}"),
        0);
    assert_int_equal(settings_configure(&made, config_root(config)), 0);
    struct settings *settings = made;
    for (unsigned k = 0; k < 2; k++) {
        struct hearing hearing;
        settings->shard = (struct shard){k, 2};
        assert_int_equal(hearing_open(&hearing, settings), 0);
        assert_int_equal(hearing.n, 3);
        assert_true(hearing_wants(&hearing, "a", "roof"));
        assert_true(hearing_wants(&hearing, "b", "mast"));
        assert_true(hearing_wants(&hearing, "b", "siren"));
        assert_int_equal(hearing_wants(&hearing, "a", "meter"),
                         shard_owns(&settings->shard, "a", "meter"));
        hearing_close(&hearing);
    }
    settings_discard(settings);
    config_close(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_a_device_stays_where_it_is),
        cmocka_unit_test(test_parts_are_about_equal),
        cmocka_unit_test(test_a_dozen_is_shared_too),
        cmocka_unit_test(test_named_devices_are_heard_by_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
