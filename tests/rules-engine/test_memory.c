/* The file of active rules: written, read again, cut off, damaged, grown and made small. */
#include "memory.h"
#include "memory_text.h"
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
    char damaged[160];
    snprintf(damaged, sizeof(damaged), "%s.damaged", stand->path);
    unlink(damaged);
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
    struct engine_cursor cursor = {0};
    assert_false(engine_remember(stand->engine, &cursor, SIZE_MAX, collect, &out));
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

static size_t slurp(const char *path, char out[2048])
{
    FILE *file = fopen(path, "re");
    size_t size = fread(out, 1, 2048, file);
    fclose(file);
    return size;
}

static void spill(const char *path, const char *text, size_t size)
{
    FILE *file = fopen(path, "we");
    fwrite(text, 1, size, file);
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

static void append_state(struct stand *stand, const struct engine_memory *memory)
{
    struct buffer out = {0};
    memory_text_state(&out, memory);
    append(stand, buffer_string(&out));
    buffer_free(&out);
}

static bool is_there(const struct stand *stand, const char *behind)
{
    char path[160];
    snprintf(path, sizeof(path), "%s%s", stand->path, behind);
    return access(path, F_OK) == 0;
}

static void test_damage(void **state)
{
    struct stand *stand = *state;
    struct engine_memory a = change("hot", "a", true, 1), c = change("hot", "c", true, 1);
    open_memory(stand);
    close_memory(stand);
    c.stale = true;
    append_state(stand, &a);
    append(stand, "\nrubbish\n");
    append_state(stand, &c);
    append(stand, "active 40 1 here d hot"); /* cut off by a crash */
    assert_false(is_there(stand, ".damaged"));
    open_memory(stand);
    expect(stand, "a/hot active 1; c/hot stale 1; ");
    assert_int_equal(memory_damaged(stand->memory), 3);
    assert_true(is_there(stand, ".damaged"));
    close_memory(stand);
    open_memory(stand);
    assert_int_equal(memory_damaged(stand->memory), 0);
    close_memory(stand);
}

/* A file of which a byte is another, or that ends anywhere: what is whole is read, the rest
 * counted. */
static void test_every_byte(void **state)
{
    struct stand *stand = *state;
    struct engine_memory full = change("hot", "a", true, 1);
    char text[2048];
    full.waiting = full.owing = full.alerting = full.failed = true;
    full.failed_episode = 2;
    full.fired_ms = 10;
    full.cleared_ms = 5;
    open_memory(stand);
    add(stand, full);
    add(stand, change("wet", "b", true, 1));
    assert_int_equal(memory_alive(stand->memory, 4000), 0);
    close_memory(stand);
    size_t size = slurp(stand->path, text);
    for (size_t at = 0; at < size; at++) {
        char flipped = (char)(text[at] ^ (1 << at % 7));
        spill(stand->path, text, at);
        open_memory(stand);
        bool whole = at > 0 && text[at - 1] == '\n';
        assert_int_equal(memory_damaged(stand->memory), whole ? 0 : 1);
        close_memory(stand);
        char kept = text[at];
        text[at] = flipped;
        spill(stand->path, text, size);
        open_memory(stand);
        assert_in_range(memory_damaged(stand->memory), 1, 2);
        close_memory(stand);
        text[at] = kept;
    }
}

static void remember_text(void *self, const struct engine_memory *memory)
{
    memory_text_state(self, memory);
}

/* What is read is what was written, all of it. */
static void test_all_that_is_kept(void **state)
{
    struct stand *stand = *state;
    struct engine_memory full = change("hot", "a", true, 3);
    struct memory_line line;
    struct buffer first = {0}, second = {0}, out = {0};
    full.waiting = full.owing = full.changed = full.failed = full.alerting = full.controls = true;
    full.by_hand = full.stale = true;
    full.meaning = UINT64_C(0x0123456789abcdef);
    full.severity = ALERT_CRITICAL;
    full.failed_episode = 4;
    full.fired_ms = 31;
    full.cleared_ms = 29;
    full.pid = (struct pid){true, 77, 0.1, -1e-9, 21.5, 1e300};
    full.commanded = true;
    full.said = 49.5;
    memory_text_state(&first, &full);
    assert_int_equal(memory_text_read(&line, first.data, first.size - 1), 0);
    assert_int_equal(line.kind, MEMORY_STATE);
    memory_text_state(&second, &line.memory);
    assert_string_equal(buffer_string(&first), buffer_string(&second));
    assert_int_equal(strncmp(first.data,
                             "clearing,stale,owing,changed,hand 30 3 here a hot "
                             "meaning=0123456789abcdef alert=critical failed=4+ fired=31 "
                             "cleared=29 pid=77,0.1,-1e-9,21.5,1e300 said=49.5 #",
                             first.size - 10),
                     0);
    open_memory(stand);
    full.controls = full.changed = false; /* not of such a rule */
    full.meaning = ((struct settings *)stand->settings)->rules[0].scope.meaning;
    full.severity = ALERT_WARNING;
    assert_int_equal(engine_restore(stand->engine, &full, 5000), 0);
    struct engine_cursor cursor = {0};
    assert_false(engine_remember(stand->engine, &cursor, SIZE_MAX, remember_text, &out));
    buffer_clear(&first);
    memory_text_state(&first, &full);
    assert_string_equal(buffer_string(&out), buffer_string(&first));
    close_memory(stand);
    buffer_free(&first);
    buffer_free(&second);
    buffer_free(&out);
}

/* Written anew in slices while changes come: nothing is lost, and it stays within its bound. */
static void test_stays_small(void **state)
{
    struct stand *stand = *state;
    struct stat status;
    char device[16];
    open_memory(stand);
    for (uint64_t i = 1; i <= 5000; i++) { /* more than a slice */
        snprintf(device, sizeof(device), "d%d", (int)i);
        struct engine_memory memory = change("hot", device, true, 1);
        assert_int_equal(engine_restore(stand->engine, &memory, 5000), 0);
        add(stand, memory);
    }
    for (uint64_t i = 2; i <= 30000; i++) {
        snprintf(device, sizeof(device), "d%d", (int)(i % 5000 + 1));
        struct engine_memory memory = change("hot", device, i % 2, i);
        assert_int_equal(engine_restore(stand->engine, &memory, 5000), 0);
        add(stand, memory);
        if (i % 50 == 0)
            assert_true(memory_tick(stand->memory) >= 0);
        assert_int_equal(stat(stand->path, &status), 0);
        assert_in_range(status.st_size, 1, 3 * MEMORY_ADDED_MIN + 3 * 5000 * 80);
    }
    struct buffer before = {0}, after = {0};
    struct engine_cursor cursor = {0};
    engine_remember(stand->engine, &cursor, SIZE_MAX, collect, &before);
    close_memory(stand);
    open_memory(stand);
    assert_int_equal(memory_damaged(stand->memory), 0);
    cursor = (struct engine_cursor){0};
    engine_remember(stand->engine, &cursor, SIZE_MAX, collect, &after);
    assert_int_equal(before.size, after.size);
    close_memory(stand);
    buffer_free(&before);
    buffer_free(&after);
}

static void test_no_directory(void **state)
{
    struct stand *stand = *state;
    struct memory *memory;
    assert_int_equal(engine_open(&stand->engine, stand->settings, &no_handlers, NULL), 0);
    assert_true(memory_open(&memory, "/nowhere/at/all", stand->engine, 0) < 0);
    engine_close(stand->engine);
}

/* In any order, whoever else reads the device and whatever is computed from it. */
static void test_finds_each(void **state)
{
    enum { N = 100 };
    struct stand *stand = *state;
    struct buffer json = {0}, out = {0};
    buffer_text(&json, "{\"derived\":[{\"name\":\"twice\",\"select\":{\"measurement\":\"m\"},"
                       "\"measurement\":\"t\",\"values\":{\"x\":\"2 * x\"}}],\"rules\":[");
    for (int i = 0; i < N; i++)
        buffer_format(&json,
                      "%s{\"name\":\"r%d\",\"select\":{\"measurement\":\"m\"},"
                      "\"when\":\"x > b.x\",\"alert\":true}",
                      i ? "," : "", i);
    buffer_text(&json, "]}");
    settings_discard(stand->settings);
    config_close(stand->config);
    assert_int_equal(config_open_text(&stand->config, "rules", buffer_string(&json)), 0);
    assert_int_equal(settings_configure(&stand->settings, config_root(stand->config)), 0);
    assert_true(config_check(stand->config));
    assert_int_equal(engine_open(&stand->engine, stand->settings, &no_handlers, NULL), 0);
    for (int i = 0; i < 3 * N; i++) { /* those of a and c read b before b is known */
        static const char *const devices[] = {"a", "c", "b"};
        const char *device = devices[i / N];
        char name[16], expected[64];
        snprintf(name, sizeof(name), "r%d", i * 37 % N);
        struct engine_memory memory = change(name, device, true, (uint64_t)i + 1);
        assert_int_equal(engine_restore(stand->engine, &memory, 5000), 0);
        struct engine_cursor cursor = {0};
        buffer_clear(&out);
        engine_remember(stand->engine, &cursor, SIZE_MAX, collect, &out);
        snprintf(expected, sizeof(expected), "%s/%s active %d; ", device, name, i + 1);
        assert_non_null(strstr(buffer_string(&out), expected));
    }
    engine_close(stand->engine);
    buffer_free(&json);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_damage, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_every_byte, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_all_that_is_kept, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_stays_small, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_finds_each, open_stand, close_stand),
        cmocka_unit_test_setup_teardown(test_no_directory, open_stand, close_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
