/* hole_file.c: what is kept comes back, and a bad file does no harm. */
#include "hole_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct unit_settings units[3];
    struct unit_settings *of_bus[3];
    struct bus_settings bus;
    struct bus_settings *buses[1];
    struct settings settings;
    struct holes holes[3];
    struct holes *of_buses[1];
    char path[64];
};

static int begin(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    int fd;

    fixture->units[0].unit = 4;
    fixture->units[1].unit = 7;
    fixture->units[2].unit = 4; /* another device of the first unit */
    fixture->bus =
        (struct bus_settings){.url = "tcp://h:1", .units = fixture->of_bus, .n_units = 3};
    for (size_t i = 0; i < 3; i++)
        fixture->of_bus[i] = &fixture->units[i];
    fixture->buses[0] = &fixture->bus;
    fixture->settings = (struct settings){.buses = fixture->buses, .n_buses = 1};
    fixture->of_buses[0] = fixture->holes;
    snprintf(fixture->path, sizeof fixture->path, "/tmp/holes-XXXXXX");
    fd = mkstemp(fixture->path);
    close(fd);
    *state = fixture;
    return fd < 0;
}

static void forget(struct fixture *fixture)
{
    for (size_t i = 0; i < 3; i++)
        holes_free(&fixture->holes[i]);
}

static int end(void **state)
{
    struct fixture *fixture = *state;

    forget(fixture);
    unlink(fixture->path);
    free(fixture);
    return 0;
}

static void load(struct fixture *fixture)
{
    forget(fixture);
    assert_int_equal(hole_file_load(fixture->path, &fixture->settings, fixture->of_buses), 0);
}

static void gives_back_what_it_took(void **state)
{
    struct fixture *fixture = *state;

    holes_add(&fixture->holes[0], &(struct span){TABLE_INPUT, 12, 5});
    holes_add(&fixture->holes[0], &(struct span){TABLE_COIL, 65536, 0});
    holes_add(&fixture->holes[1], &(struct span){TABLE_HOLDING, 0, 1});
    assert_int_equal(hole_file_store(fixture->path, &fixture->settings, fixture->of_buses), 0);
    load(fixture);
    assert_int_equal(fixture->holes[0].n, 2);
    assert_int_equal(fixture->holes[0].items[0].table, TABLE_INPUT);
    assert_int_equal(fixture->holes[0].items[0].address, 12);
    assert_int_equal(fixture->holes[0].items[0].count, 5);
    assert_int_equal(fixture->holes[1].n, 1);
    assert_int_equal(fixture->holes[2].n, 0);
}

static void passes_over_what_makes_no_sense(void **state)
{
    struct fixture *fixture = *state;
    FILE *file = fopen(fixture->path, "we");

    fputs("fieldline holes 1\n"
          "tcp://h:1 4 input 1 2\n"
          "tcp://h:1 4 input 65530 20\n"
          "tcp://h:1 4 input 1 4294967295\n"
          "tcp://h:1 4 output 1 2\n"
          "tcp://h:1 5 input 1 2\n"
          "tcp://else:1 4 input 1 2\n"
          "tcp://h:1 4 input 1\n"
          "\n"
          "tcp://h:1 7 coil 3 0",
          file);
    for (int i = 0; i < 5000; i++)
        fputc('x', file);
    fclose(file);
    load(fixture);
    assert_int_equal(fixture->holes[0].n, 1);
    assert_int_equal(fixture->holes[1].n, 1);
}

static void does_without(void **state)
{
    struct fixture *fixture = *state;
    FILE *file = fopen(fixture->path, "we");

    fputs("fieldline holes 2\ntcp://h:1 4 input 1 2\n", file);
    fclose(file);
    load(fixture); /* of a later version */
    assert_int_equal(fixture->holes[0].n, 0);
    unlink(fixture->path);
    load(fixture);
    assert_int_equal(fixture->holes[0].n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_it_took, begin, end),
        cmocka_unit_test_setup_teardown(passes_over_what_makes_no_sense, begin, end),
        cmocka_unit_test_setup_teardown(does_without, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
