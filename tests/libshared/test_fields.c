/* Fields by name: what there is, and what is said where there is none. */
#include "fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What is said about the field; freed by the caller. "" where it is there. */
static char *require(const struct fields *fields, const char *measurement, const char *name)
{
    struct config *config;
    char *report = NULL;
    size_t size;
    FILE *file = open_memstream(&report, &size);

    assert_int_equal(config_open_text(&config, "test", "{\"inputs\": []}"), 0);
    config_array(config_root(config), "inputs");
    fields_require(fields, measurement, name, config_root(config), "inputs");
    config_check(config);
    config_report(config, file);
    fclose(file);
    config_close(config);
    return report;
}

static void assert_said(const struct fields *fields, const char *measurement, const char *name,
                        const char *expected)
{
    char *said = require(fields, measurement, name);

    if (expected[0] == '\0' ? said[0] != '\0' : !strstr(said, expected))
        fail_msg("\"%s\" is not in: %s", expected, said);
    free(said);
}

static void says_what_there_is(void **state)
{
    struct fields fields = {0};

    (void)state;
    assert_said(&fields, "", "level",
                "inputs: reads level, which this device does not have; it has "
                "nothing that is read");
    assert_int_equal(fields_add(&fields, "tank", "level"), 0);
    assert_int_equal(fields_add(&fields, "pump", "flow"), 0);
    assert_said(&fields, "", "level", "");
    assert_said(&fields, "tank", "level", "");
    assert_said(&fields, "pump", "level",
                "reads pump.level, which this device does not have; it has "
                "tank.level, pump.flow");
    assert_said(&fields, "", "levle", "reads levle, which this device does not have; is \"level\"");
    assert_said(&fields, "", "temperature", "it has tank.level, pump.flow");
    fields_free(&fields);
}

static void a_long_list_is_cut(void **state)
{
    struct fields fields = {0};

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(fields_add(&fields, "measurement", "a_long_name_of_a_field"), 0);
    assert_said(&fields, "", "zz", "measurement.a_long_name_of_a_field, …");
    fields_free(&fields);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_there_is),
        cmocka_unit_test(a_long_list_is_cut),
    };

    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
