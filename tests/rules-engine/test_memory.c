/* The file of active rules: written, read again, cut off, damaged, grown and made small. */
#include "memory.h"
#include "settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char rules[] =
    "{\"rules\":[{\"name\":\"hot\",\"select\":{\"measurement\":\"m\"},\"when\":\"x > 1\","
    "\"alert\":true},{\"name\":\"wet\",\"select\":{\"measurement\":\"m\"},\"when\":\"y > 1\","
    "\"alert\":true}]}";

struct stand {
    struct config *config;
    void *settings;
    struct engine *engine;
    struct memory *memory;
    char directory[64];
    char path[128];
};

static const struct engine_handlers no_handlers;

static void open_memory(struct stand *stand)
{
    assert_int_equal(engine_open(&stand->engine, stand->settings, &no_handlers, NULL), 0);
    assert_int_equal(memory_open(&stand->memory, stand->directory, stand->engine, 5000), 0);
}

static void close_memory(struct stand *stand)
{
    memory_close(stand->memory);
    engine_close(stand->engine);
}

static int open_stand(void **state)
{
    struct stand *stand = calloc(1, sizeof(*stand));
    snprintf(stand->directory, sizeof(stand->directory), "/tmp/test_memory.XXXXXX");
    if (!mkdtemp(stand->directory))
        return -1;
    snprintf(stand->path, sizeof(stand->path), "%s/rules.memory", stand->directory);
    config_open_text(&stand->config, "rules", rules);
    settings_configure(&stand->settings, config_root(stand->config));
    *state = stand;
    return 0;
}

static int close_stand(void **state)
{
    struct stand *stand = *state;
    settings_discard(stand->settings);
    config_close(stand->config);
    unlink(stand->path);
    rmdir(stand->directory);
    free(stand);
    return 0;
}

static void collect(void *self, const struct engine_memory *memory)
{
    buffer_format(self, "%s/%s %s %d; ", memory->place.device, memory->rule,
                  memory->active ? (memory->stale ? "stale" : "active") : "inactive",
                  (int)memory->episode);
}

static void expect(struct stand *stand, const char *what)
{
    struct buffer out = {0};
    engine_remember(stand->engine, collect, &out);
    assert_string_equal(buffer_string(&out), what);
    buffer_free(&out);
}

static struct engine_memory change(const char *rule, const char *device, bool active,
                                   uint64_t episode)
{
    return (struct engine_memory){
        .rule = rule,
        .place = {"here", device},
        .active = active,
        .episode = episode,
        .since_ms = (int64_t)episode * 10 + !active,
    };
}

static void add(struct stand *stand, struct engine_memory memory)
{
    assert_int_equal(memory_add(stand->memory, &memory), 0);
}

static void append(struct stand *stand, const char *text)
{
    FILE *file = fopen(stand->path, "ae");
    fputs(text, file);
    fclose(file);
}

static void test_round_trip(void **state)
{
    struct stand *stand = *state;
    open_memory(stand);
    expect(stand, "");
    add(stand, change("hot", "a", true, 1));
    add(stand, change("wet", "a", true, 1));
    add(stand, change("hot", "a", false, 1));
    add(stand, change("hot", "b", true, 3));
    add(stand, change("gone", "b", true, 3)); /* a rule that the next start does not have */
    close_memory(stand);
    for (int i = 0; i < 2; i++) { /* the second time from the file written anew */
        open_memory(stand);
        expect(stand, "a/hot inactive 1; a/wet active 1; b/hot active 3; ");
        close_memory(stand);
    }
}

static void test_damage(void **state)
{
    struct stand *stand = *state;
    append(stand, "10 1 active here a hot\n"
                  "\n"
                  "rubbish\n"
                  "20 2 active here b\n"
                  "30 1 stale here c hot\n"
                  "40 1 active here d hot"); /* cut off by a crash, of whatever rule */
    open_memory(stand);
    expect(stand, "a/hot active 1; c/hot stale 1; ");
    close_memory(stand);
}

static void test_stays_small(void **state)
{
    struct stand *stand = *state;
    struct stat status;
    open_memory(stand);
    for (uint64_t i = 1; i <= 30000; i++)
        add(stand, change("hot", "a", i % 2, i));
    assert_int_equal(stat(stand->path, &status), 0);
    assert_in_range(status.st_size, 1, 300 * 1024);
    close_memory(stand);
}

static void test_no_directory(void **state)
{
    struct stand *stand = *state;
    struct memory *memory;
    assert_int_equal(engine_open(&stand->engine, stand->settings, &no_handlers, NULL), 0);
    assert_true(memory_open(&memory, "/nowhere/at/all", stand->engine, 0) < 0);
    engine_close(stand->engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_damage, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_stays_small, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_no_directory, open_stand, close_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
