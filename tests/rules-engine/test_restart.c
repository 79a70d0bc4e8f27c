/* Killed and started anew after every line of a capture, an engine decides what it decides
 * undisturbed: from its memory, its windows and what the broker has retained. */
#include "announce.h"
#include "capture.h"
#include "dispatch.h"
#include "jsonr.h"
#include "line_diff.h"
#include "memory.h"
#include "window_memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TESTS SOURCE_DIR "/tests/rules-engine/"

struct retained {
    char topic[TOPIC_SIZE];
    char *payload; /* owned */
    size_t size;
};

struct outcome {
    char *decisions;     /* owned; a line each, but those of the pid */
    double outputs[600]; /* of the pid, after each line: time alone moves it, which after a kill
                            waits for a reading, so that it is a little behind */
};

struct stand {
    const struct settings *settings;
    bool killed; /* after each line */
    char directory[64];
    struct engine *engine;
    struct memory *memory;
    struct announcer announcer;
    struct retained retained[64]; /* what a broker would have */
    size_t n_retained;
    struct buffer decisions;
    char ids[64][COMMAND_ID_SIZE]; /* of commands that nobody has answered yet */
    size_t n_ids;
    int64_t time_ms;
    struct outcome outcome;
    double output;
    size_t n_lines;
};

static void retain(struct stand *stand, const char *topic, const void *payload, size_t size)
{
    struct retained *at = stand->retained;
    while (at < stand->retained + stand->n_retained && strcmp(at->topic, topic) != 0)
        at++;
    stand->n_retained += at == stand->retained + stand->n_retained;
    assert_in_range(stand->n_retained, 1, 64);
    snprintf(at->topic, sizeof(at->topic), "%s", topic);
    free(at->payload);
    at->payload = strndup(payload, size);
    at->size = size;
}

static void on_memory(void *self, const struct engine_memory *change)
{
    struct announcer *announcer = self;
    struct stand *stand = announcer->self;
    if (stand->memory)
        assert_int_equal(memory_add(stand->memory, change), 0);
}

static void on_command(void *self, const struct engine_command *command)
{
    struct announcer *announcer = self;
    struct stand *stand = announcer->self;
    assert_in_range(stand->n_ids, 0, 63);
    snprintf(stand->ids[stand->n_ids++], COMMAND_ID_SIZE, "%s", command->id);
    announce_command(announcer, command);
}

/* Of an alert what is decided, not with which words: after a restart it may be a reading that tells
 * what otherwise the clock would have told in the same millisecond. */
static void write_decision(struct stand *stand, const struct announcement *announcement)
{
    const char *payload = announcement->payload, *command = strstr(payload, ",\"id\"");
    const char *message = strstr(payload, ",\"value\":"),
               *episode = strstr(payload, ",\"episode\":");
    buffer_format(&stand->decisions, "%lld %s ", (long long)stand->time_ms, announcement->topic);
    if (message && episode)
        buffer_format(&stand->decisions, "%.*s%.*s\n", (int)strcspn(payload, ","), payload,
                      (int)strcspn(episode + 1, ",}"), episode + 1);
    else if (command)
        buffer_format(&stand->decisions, "%.*s\n", (int)(command - payload), payload);
    else
        buffer_format(&stand->decisions, "%s\n", strstr(payload, "\"values\""));
}

static void publish(void *self, const struct announcement *announcement)
{
    struct stand *stand = self;
    if (strstr(announcement->topic, "/command/inlet"))
        stand->output = strtod(announcement->payload + strlen("{\"value\":"), NULL);
    else
        write_decision(stand, announcement);
    if (announcement->retained)
        retain(stand, announcement->topic, announcement->payload, announcement->size);
}

static void deliver(struct stand *stand, const char *topic, const char *payload, size_t size,
                    bool retained)
{
    char error[DISPATCH_ERROR_SIZE];
    struct dispatch_message message = {.payload = payload, .size = size, .retained = retained};
    if (topic_parse(&message.topic, "iot", topic) == 0)
        dispatch(stand->engine, &message, stand->time_ms, error); /* a bad payload may be in it */
}

static void start(struct stand *stand)
{
    static const struct engine_handlers handlers = {
        .on_memory = on_memory,
        .on_command = on_command,
        .on_alert = announce_alert,
        .on_reading = announce_reading,
    };
    assert_int_equal(engine_open(&stand->engine, stand->settings, &handlers, &stand->announcer), 0);
    assert_int_equal(window_memory_read(stand->directory, engine_picture(stand->engine)), 0);
    assert_int_equal(memory_open(&stand->memory, stand->directory, stand->engine, stand->time_ms),
                     0);
    assert_int_equal(memory_damaged(stand->memory), 0);
    engine_listen(stand->engine, true, stand->time_ms);
    for (size_t i = 0; i < stand->n_retained; i++)
        deliver(stand, stand->retained[i].topic, stand->retained[i].payload,
                stand->retained[i].size, true);
}

/* As a kill a second after the line would find it. */
static void end(struct stand *stand)
{
    engine_keep(stand->engine);
    assert_int_equal(memory_alive(stand->memory, stand->time_ms), 0);
    assert_int_equal(window_memory_write(stand->directory, engine_picture(stand->engine)), 0);
    memory_close(stand->memory);
    stand->memory = NULL;
    engine_close(stand->engine);
}

static void answer(struct stand *stand)
{
    while (stand->n_ids > 0)
        engine_result(stand->engine, stand->ids[--stand->n_ids], COMMAND_OK, NULL, stand->time_ms);
}

static void advance(struct stand *stand, int64_t time_ms)
{
    for (int64_t at_ms; (at_ms = engine_next_ms(stand->engine)) <= time_ms;) {
        if (at_ms > stand->time_ms)
            stand->time_ms = at_ms;
        engine_tick(stand->engine, stand->time_ms);
        answer(stand);
    }
    stand->time_ms = time_ms;
}

static int on_line(void *self, const struct capture_message *message, char *error,
                   size_t error_size)
{
    struct stand *stand = self;
    (void)error;
    (void)error_size;
    if (!stand->engine) {
        stand->time_ms = message->time_ms;
        start(stand);
    }
    advance(stand, message->time_ms);
    if (message->retained || strstr(message->topic, "/telemetry/"))
        retain(stand, message->topic, message->payload, message->size);
    deliver(stand, message->topic, message->payload, message->size, message->retained);
    answer(stand);
    assert_in_range(stand->n_lines, 0, 599);
    stand->outcome.outputs[stand->n_lines++] = stand->output;
    if (stand->killed) {
        end(stand);
        start(stand);
    }
    return 0;
}

static struct outcome decide(const struct settings *settings, const char *path, bool killed)
{
    struct stand stand = {.settings = settings, .killed = killed};
    struct capture capture = {.file = fopen(path, "re"), .name = path, .errors = stderr};
    char command[128];
    assert_non_null(capture.file);
    stand.announcer = (struct announcer){.root = "iot", .publish = publish, .self = &stand};
    snprintf(stand.directory, sizeof(stand.directory), "/tmp/test_restart.XXXXXX");
    assert_non_null(mkdtemp(stand.directory));
    assert_int_equal(capture_run(&capture, on_line, &stand), 0);
    end(&stand);
    fclose(capture.file);
    snprintf(command, sizeof(command), "rm -r %s", stand.directory);
    assert_int_equal(system(command), 0);
    for (size_t i = 0; i < stand.n_retained; i++)
        free(stand.retained[i].payload);
    announcer_free(&stand.announcer);
    stand.outcome.decisions = stand.decisions.data;
    return stand.outcome;
}

static void check(const char *rules, const char *path)
{
    struct config *config;
    void *settings;
    assert_int_equal(config_open(&config, rules), 0);
    assert_int_equal(settings_configure(&settings, config_root(config)), 0);
    struct outcome undisturbed = decide(settings, path, false),
                   killed = decide(settings, path, true);
    assert_non_null(undisturbed.decisions);
    if (line_diff(undisturbed.decisions, killed.decisions, stderr))
        fail_msg("%s: decides otherwise where it is killed after each line", path);
    for (size_t i = 0; i < sizeof(killed.outputs) / sizeof(killed.outputs[0]); i++)
        if (fabs(undisturbed.outputs[i] - killed.outputs[i]) > 1)
            fail_msg("line %zu: the pid says %f instead of %f", i + 1, killed.outputs[i],
                     undisturbed.outputs[i]);
    free(undisturbed.decisions);
    free(killed.decisions);
    settings_discard(settings);
    config_close(config);
}

static void test_demo(void **state)
{
    (void)state;
    static const char *const captures[] = {"greenhouse", "plant", "efficiency"};
    char path[512];
    for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++) {
        snprintf(path, sizeof(path), TESTS "replay/%s.jsonl", captures[i]);
        check(SOURCE_DIR "/deploy/config/rules-engine.json", path);
    }
}

/* Waits, cool-down, most an hour, on_off, pid, windows, silence. */
static void test_all_that_takes_time(void **state)
{
    (void)state;
    check(TESTS "restart/rules.json", TESTS "restart/boiler.jsonl");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_demo),
        cmocka_unit_test(test_all_that_takes_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
