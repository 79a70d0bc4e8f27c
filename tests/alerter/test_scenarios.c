/* Every feature by a scenario, in virtual time. tests/alerter/scenarios holds for each one the
 * configuration, NAME.json, what came in when, NAME.jsonl, and who was told what, NAME.expected.
 * Written anew after a wanted change:
 *
 *     alerter --config NAME.json --replay NAME.jsonl >NAME.expected */
#include "core.h"
#include "line_diff.h"
#include "memory.h"
#include "replay.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SCENARIOS SOURCE_DIR "/tests/alerter/scenarios/"

struct scenario {
    struct config *config;
    void *settings;
    struct capture capture;
    char path[512];
};

static void open_scenario(struct scenario *scenario, const char *name)
{
    snprintf(scenario->path, sizeof scenario->path, SCENARIOS "%s.json", name);
    assert_int_equal(config_open(&scenario->config, scenario->path), 0);
    assert_int_equal(settings_configure(&scenario->settings, config_root(scenario->config)), 0);
    snprintf(scenario->path, sizeof scenario->path, SCENARIOS "%s.jsonl", name);
    scenario->capture = (struct capture){
        .file = fopen(scenario->path, "r"), .name = name, .errors = fopen("/dev/null", "w")};
    assert_non_null(scenario->capture.file);
    assert_non_null(scenario->capture.errors);
}

static void close_scenario(struct scenario *scenario)
{
    fclose(scenario->capture.file);
    fclose(scenario->capture.errors);
    settings_discard(scenario->settings);
    config_close(scenario->config);
}

static void read_expected(const char *name, struct buffer *out)
{
    char path[512], block[4096];
    size_t size;
    FILE *file;

    snprintf(path, sizeof path, SCENARIOS "%s.expected", name);
    file = fopen(path, "r");
    if (!file)
        fail_msg("there is no %s", path);
    while ((size = fread(block, 1, sizeof block, file)) > 0)
        buffer_append(out, block, size);
    fclose(file);
}

static void check(const char *name, const char *how, const struct buffer *actual)
{
    struct buffer expected = {0};
    bool differs;

    read_expected(name, &expected);
    differs = line_diff(buffer_string(&expected), buffer_string(actual), stderr);
    buffer_free(&expected);
    if (differs)
        fail_msg("%s, %s: other notifications than expected", name, how);
}

static void run_straight(const char *name)
{
    struct scenario scenario;
    struct buffer out = {0};

    open_scenario(&scenario, name);
    assert_int_equal(replay_run(scenario.settings, &scenario.capture, &out), 0);
    check(name, "as it is", &out);
    buffer_free(&out);
    close_scenario(&scenario);
}

/* ---- the same, while the program is killed after each line ---- */

struct killed {
    const struct settings *settings;
    struct replay_printer printer;
    struct core *core;
    char path[64];
};

static void on_pending(void *self, const char *channel, struct notification *notification)
{
    (void)self;
    (void)notification;
    fail_msg("nothing is pending, but for %s", channel);
}

static void kill_and_restart(struct killed *killed)
{
    struct memory_writer writer;
    char error[256] = "";

    memory_begin(&writer, killed->core);
    assert_int_equal(memory_save(&writer, killed->path), 0);
    core_close(killed->core);
    assert_int_equal(core_open(&killed->core, killed->settings, &replay_handlers, &killed->printer),
                     0);
    if (memory_load(killed->path, killed->core, on_pending, NULL, error, sizeof error) < 0)
        fail_msg("%s", error);
}

static int on_message(void *self, const struct capture_message *message, char *error, size_t size)
{
    struct killed *killed = self;
    int rc = replay_hear(killed->core, "iot", message, error, size);

    kill_and_restart(killed);
    return rc;
}

static void run_killed(const char *name)
{
    struct scenario scenario;
    struct buffer out = {0};
    struct killed killed = {.path = "/tmp/test_scenarios_XXXXXX"};
    int fd = mkstemp(killed.path);

    assert_true(fd >= 0);
    close(fd);
    open_scenario(&scenario, name);
    killed.settings = scenario.settings;
    killed.printer = (struct replay_printer){scenario.settings, &out};
    assert_int_equal(core_open(&killed.core, killed.settings, &replay_handlers, &killed.printer),
                     0);
    assert_int_equal(capture_run(&scenario.capture, on_message, &killed), 0);
    check(name, "killed after each line", &out);
    core_close(killed.core);
    remove(killed.path);
    buffer_free(&out);
    close_scenario(&scenario);
}

static int is_configuration(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot && strcmp(dot, ".json") == 0;
}

static void for_each_scenario(void (*run)(const char *name))
{
    struct dirent **entries;
    int n = scandir(SCENARIOS, &entries, is_configuration, alphasort);

    assert_true(n > 10);
    for (int i = 0; i < n; i++) {
        *strrchr(entries[i]->d_name, '.') = '\0';
        run(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static void test_scenarios(void **state)
{
    (void)state;
    for_each_scenario(run_straight);
}

static void test_scenarios_killed(void **state)
{
    (void)state;
    for_each_scenario(run_killed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenarios),
        cmocka_unit_test(test_scenarios_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
