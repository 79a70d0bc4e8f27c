/* The index against asking every rule, over random patterns and names. */
#include "config.h"
#include "picture.h"
#include "selector.h"
#include "wildcard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_RULES 300
#define N_SERIES 2000

/* Few letters, so that much of it matches. */
static void random_name(char out[8], unsigned *seed, const char *letters)
{
    size_t n = 1 + (size_t)rand_r(seed) % 5;
    for (size_t i = 0; i < n; i++)
        out[i] = letters[(size_t)rand_r(seed) % strlen(letters)];
    out[n] = '\0';
}

static struct settings *open_settings(struct config **config, unsigned *seed)
{
    struct buffer json = {0};
    void *settings;
    for (int i = 0; i < N_RULES; i++) {
        char location[8], device[8];
        random_name(location, seed, "ab*");
        random_name(device, seed, "aab*");
        buffer_format(&json,
                      "%s{\"name\":\"n%d\",\"select\":{\"location\":\"%s\",\"device\":\"%s\","
                      "\"measurement\":\"m%d\"},\"when\":\"x > 1\",\"alert\":true}",
                      i ? "," : "{\"rules\":[", i, location, device, rand_r(seed) % 2);
    }
    buffer_text(&json, "]}");
    assert_int_equal(config_open_text(config, "rules.json", buffer_string(&json)), 0);
    assert_int_equal(settings_configure(&settings, config_root(*config)), 0);
    buffer_free(&json);
    return settings;
}

static bool selects(const struct scope *scope, const struct series *series)
{
    return strcmp(scope->measurement, series->measurement) == 0 &&
           wildcard_matches(scope->location, series->device->location) &&
           wildcard_matches(scope->device, series->device->name);
}

static size_t check(struct selector *selector, const struct settings *settings,
                    const struct series *series)
{
    const struct selected *found;
    size_t n = selector_find(selector, series->device->location, series->device->name,
                             series->measurement, &found);
    size_t at = 0;
    for (size_t i = 0; i < settings->n_rules; i++) {
        if (!selects(&settings->rules[i].scope, series))
            continue;
        if (at == n || found[at].rule != &settings->rules[i])
            fail_msg("%s/%s: rule %zu (%s/%s) is not found", series->device->location,
                     series->device->name, i, settings->rules[i].scope.location,
                     settings->rules[i].scope.device);
        at++;
    }
    assert_int_equal(at, n);
    return n;
}

static void check_name(struct selector *selector, const struct settings *settings,
                       const char *location, const char *device, size_t i)
{
    const struct scope *scope = &settings->rules[i].scope;
    bool meant =
        wildcard_matches(scope->location, location) && wildcard_matches(scope->device, device);
    assert_ptr_equal(selector_rule(selector, location, device, scope->name),
                     meant ? &settings->rules[i] : NULL);
}

static void test_random(void **state)
{
    (void)state;
    unsigned seed = 1;
    struct config *config;
    struct settings *settings = open_settings(&config, &seed);
    struct selector *selector;
    struct picture *picture;
    size_t n = 0;
    assert_int_equal(selector_open(&selector, settings), 0);
    assert_int_equal(picture_open(&picture), 0);
    for (int i = 0; i < N_SERIES; i++) {
        char location[8], device[8], measurement[8];
        random_name(location, &seed, "ab");
        random_name(device, &seed, "ab");
        snprintf(measurement, sizeof(measurement), "m%d", i % 3);
        n += check(selector, settings, picture_series(picture, location, device, measurement));
        check_name(selector, settings, location, device, (size_t)i % N_RULES);
    }
    assert_true(n > N_SERIES);
    picture_close(picture);
    selector_close(selector);
    settings_discard(settings);
    config_close(config);
}

static void test_derived_first(void **state)
{
    static const char json[] =
        "{\"rules\":[{\"name\":\"r\",\"select\":{\"measurement\":\"m\"},\"when\":\"x > 1\","
        "\"alert\":true}],\"derived\":[{\"name\":\"d\",\"select\":{\"device\":\"b*\","
        "\"measurement\":\"m\"},\"measurement\":\"o\",\"values\":{\"v\":\"x\"}}]}";
    (void)state;
    struct config *config;
    void *settings;
    struct selector *selector;
    const struct selected *found;
    assert_int_equal(config_open_text(&config, "rules.json", json), 0);
    assert_int_equal(settings_configure(&settings, config_root(config)), 0);
    assert_int_equal(selector_open(&selector, settings), 0);
    assert_int_equal(selector_find(selector, "a", "b", "m", &found), 2);
    assert_non_null(found[0].derived);
    assert_non_null(found[1].rule);
    assert_int_equal(selector_find(selector, "a", "c", "m", &found), 1);
    assert_int_equal(selector_find(selector, "a", "b", "o", &found), 0);
    selector_close(selector);
    settings_discard(settings);
    config_close(config);
}

/* A derived value may have the name, too. */
static void test_one_name_for_several(void **state)
{
    static const char json[] =
        "{\"rules\":[{\"name\":\"r\",\"select\":{\"device\":\"b*\",\"measurement\":\"m\"},"
        "\"when\":\"x > 1\",\"alert\":true},{\"name\":\"r\",\"select\":{\"device\":\"c\","
        "\"measurement\":\"m\"},\"when\":\"x > 1\",\"alert\":true}],\"derived\":[{\"name\":\"r\","
        "\"select\":{\"measurement\":\"m\"},\"measurement\":\"o\",\"values\":{\"v\":\"x\"}}]}";
    (void)state;
    struct config *config;
    void *settings;
    struct selector *selector;
    assert_int_equal(config_open_text(&config, "rules.json", json), 0);
    assert_int_equal(settings_configure(&settings, config_root(config)), 0);
    assert_int_equal(selector_open(&selector, settings), 0);
    const struct rule *rules = ((const struct settings *)settings)->rules;
    assert_ptr_equal(selector_rule(selector, "a", "b1", "r"), &rules[0]);
    assert_ptr_equal(selector_rule(selector, "a", "c", "r"), &rules[1]);
    assert_null(selector_rule(selector, "a", "d", "r"));
    assert_null(selector_rule(selector, "a", "c", "s"));
    selector_close(selector);
    settings_discard(settings);
    config_close(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_derived_first),
        cmocka_unit_test(test_one_name_for_several),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
