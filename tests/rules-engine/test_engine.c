/* The engine: rules given as configuration, readings by hand, decisions read as lines of text. */
#include "config.h"
#include "engine.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct stand {
    struct config *config;
    struct settings *settings;
    struct engine *engine;
    struct buffer decisions; /* "command greenhouse_001/fan true; alert …; " */
    struct buffer memory;    /* the last change of each kind, likewise */
    int64_t time_ms;
    uint64_t seq;
    char id[COMMAND_ID_SIZE]; /* of the last command */
    int64_t derived_ms;       /* of the last derived reading */
};

static void put_value(struct buffer *out, struct value value)
{
    if (value.type == VALUE_NUMBER)
        buffer_number(out, value.number);
    else if (value.type == VALUE_BOOL)
        buffer_text(out, value.boolean ? "true" : "false");
    else
        buffer_text(out, value.type == VALUE_TEXT ? value.text : "unknown");
}

static void on_memory(void *self, const struct engine_memory *memory)
{
    struct stand *stand = self;
    buffer_format(&stand->memory, "%s/%s %s %" PRIu64 "%s; ", memory->place.device, memory->rule,
                  memory->active ? (memory->stale ? "stale" : "active") : "inactive",
                  memory->episode, memory->owing ? " owing" : "");
}

static void on_command(void *self, const struct engine_command *command)
{
    struct stand *stand = self;
    buffer_format(&stand->decisions, "command %s/%s ", command->place.device, command->actuator);
    put_value(&stand->decisions, command->value);
    buffer_text(&stand->decisions, "; ");
    snprintf(stand->id, sizeof(stand->id), "%s", command->id);
}

static void on_alert(void *self, const struct engine_place *place, const struct alert *alert)
{
    struct stand *stand = self;
    buffer_format(&stand->decisions, "alert %s/%s %s %" PRIu64 " %s; ", place->device, alert->rule,
                  alert_state_name(alert->state), alert->episode, alert->message);
}

static void on_reading(void *self, const struct engine_place *place, const char *measurement,
                       const char *derived, const struct reading *reading)
{
    struct stand *stand = self;
    (void)derived;
    stand->derived_ms = reading->ts_ms;
    buffer_format(&stand->decisions, "reading %s/%s", place->device, measurement);
    for (size_t i = 0; i < reading->n_fields; i++) {
        buffer_format(&stand->decisions, " %s ", reading->fields[i].name);
        put_value(&stand->decisions, reading->fields[i].value);
    }
    for (size_t i = 0; i < reading->n_faults; i++)
        buffer_format(&stand->decisions, " %s %s", reading->faults[i].name,
                      reading->faults[i].reason);
    buffer_text(&stand->decisions, "; ");
}

static void open_engine(struct stand *stand)
{
    static const struct engine_handlers handlers = {.on_memory = on_memory,
                                                    .on_command = on_command,
                                                    .on_alert = on_alert,
                                                    .on_reading = on_reading};
    assert_int_equal(engine_open(&stand->engine, stand->settings, &handlers, stand), 0);
}

static void open_stand(struct stand *stand, const char *json)
{
    *stand = (struct stand){.time_ms = 1000000};
    void *settings;
    assert_int_equal(config_open_text(&stand->config, "rules.json", json), 0);
    assert_int_equal(settings_configure(&settings, config_root(stand->config)), 0);
    stand->settings = settings;
    if (!config_check(stand->config)) {
        config_report(stand->config, stderr);
        fail();
    }
    open_engine(stand);
}

static void close_stand(struct stand *stand)
{
    engine_close(stand->engine);
    settings_discard(stand->settings);
    config_close(stand->config);
    buffer_free(&stand->decisions);
    buffer_free(&stand->memory);
}

/* Forgets what was decided. */
static void expect(struct stand *stand, const char *decisions)
{
    assert_string_equal(buffer_string(&stand->decisions), decisions);
    buffer_clear(&stand->decisions);
}

static void wait_ms(struct stand *stand, int64_t ms)
{
    int64_t end_ms = stand->time_ms + ms;
    while (engine_next_ms(stand->engine) <= end_ms)
        engine_tick(stand->engine, engine_next_ms(stand->engine));
    stand->time_ms = end_ms;
}

/* Whole say: which series, at what age and how. */
struct say {
    const char *device, *measurement, *field;
    struct value value; /* none: a fault */
    int64_t ts_ms;
    uint64_t seq;
    bool retained;
};

static void give(struct stand *stand, const struct say *say)
{
    struct reading reading = {0};
    struct engine_place place = {"facility_a", say->device};
    reading_reset(&reading, say->ts_ms, say->seq);
    if (say->value.type == VALUE_NONE)
        reading_add_fault(&reading, say->field, "timeout");
    else
        reading_add(&reading, say->field, say->value);
    assert_int_equal(engine_reading(stand->engine, &place, say->measurement, &reading,
                                    say->retained, stand->time_ms),
                     0);
    reading_free(&reading);
}

static void read_value(struct stand *stand, const char *device, const char *measurement,
                       const char *field, struct value value)
{
    struct say say = {device, measurement, field, value, stand->time_ms, ++stand->seq, false};
    give(stand, &say);
}

static void temperature(struct stand *stand, double celsius)
{
    read_value(stand, "greenhouse_001", "sensors", "temperature", value_number(celsius));
}

static void retained_temperature(struct stand *stand, double celsius)
{
    struct say say = {"greenhouse_001", "sensors",    "temperature", value_number(celsius),
                      stand->time_ms,   ++stand->seq, true};
    give(stand, &say);
}

static const char cool[] =
    "{\"rules\":[{\"name\":\"cool\",\"select\":{\"device\":\"greenhouse_*\","
    "\"measurement\":\"sensors\"},\"when\":\"temperature > 28\",\"until\":\"temperature < 24\","
    "\"alert\":true,\"message\":\"{temperature:.1f}\",\"stale_after\":\"10s\","
    "\"then\":[{\"command\":{\"actuator\":\"fan\",\"value\":true}}],"
    "\"else\":[{\"command\":{\"actuator\":\"fan\",\"value\":false}}]}]}";

#define FIRED "command greenhouse_001/fan true; alert greenhouse_001/cool firing 1 "
#define RESOLVED "command greenhouse_001/fan false; alert greenhouse_001/cool resolved 1 "

static void test_edges(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, cool);
    temperature(&stand, 28);
    expect(&stand, "");
    temperature(&stand, 28.1);
    expect(&stand, FIRED "28.1; ");
    temperature(&stand, 30);
    temperature(&stand, 24);
    expect(&stand, "");
    temperature(&stand, 23);
    expect(&stand, RESOLVED "23.0; ");
    assert_string_equal(
        buffer_string(&stand.memory),
        "greenhouse_001/cool active 1 owing; greenhouse_001/cool inactive 1 owing; ");
    close_stand(&stand);
}

static void test_each_device_for_itself(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, cool);
    temperature(&stand, 29);
    expect(&stand, FIRED "29.0; ");
    read_value(&stand, "greenhouse_002", "sensors", "temperature", value_number(29));
    expect(&stand, "command greenhouse_002/fan true; alert greenhouse_002/cool firing 1 29.0; ");
    read_value(&stand, "shed_001", "sensors", "temperature", value_number(29));
    read_value(&stand, "greenhouse_003", "other", "temperature", value_number(29));
    expect(&stand, "");
    assert_int_equal(engine_stats(stand.engine).instances, 2);
    assert_int_equal(engine_stats(stand.engine).active, 2);
    close_stand(&stand);
}

static void test_retained_decides_nothing(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, cool);
    retained_temperature(&stand, 35);
    wait_ms(&stand, 3600000);
    expect(&stand, "");
    temperature(&stand, 29); /* but the live one after it does */
    expect(&stand, FIRED "29.0; ");
    retained_temperature(&stand, 10); /* the connection was away meanwhile */
    wait_ms(&stand, 9000);
    expect(&stand, "");
    temperature(&stand, 12);
    expect(&stand, RESOLVED "12.0; ");
    close_stand(&stand);
}

static void test_old_and_double_change_nothing(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, cool);
    temperature(&stand, 25);
    struct say old = {"greenhouse_001",  "sensors", "temperature", value_number(40),
                      stand.time_ms - 1, 99,        false};
    give(&stand, &old);
    struct say again = {"greenhouse_001", "sensors", "temperature", value_number(40),
                        stand.time_ms,    stand.seq, false};
    give(&stand, &again);
    expect(&stand, "");
    assert_int_equal(engine_stats(stand.engine).old, 1);
    assert_int_equal(engine_stats(stand.engine).duplicates, 1);
    close_stand(&stand);
}

static void say_missing(void *self, const struct engine_place *place, const char *measurement,
                        uint64_t missing)
{
    struct stand *stand = self;
    buffer_format(&stand->decisions, "missing %s/%s %" PRIu64 "; ", place->device, measurement,
                  missing);
}

/* Of each device's measurement by itself. */
static void test_missing_readings_are_counted(void **state)
{
    static const struct engine_handlers handlers = {.on_missing = say_missing};
    static const struct {
        const char *device;
        uint64_t seq;
        bool retained;
    } heard[] = {
        {"greenhouse_001", 40, true},  {"greenhouse_001", 41, false}, {"greenhouse_002", 7, false},
        {"greenhouse_001", 44, false}, {"greenhouse_002", 8, false},  {"greenhouse_002", 10, true},
        {"greenhouse_001", 1, false},
    };
    (void)state;
    struct stand stand;
    open_stand(&stand, cool);
    engine_close(stand.engine);
    assert_int_equal(engine_open(&stand.engine, stand.settings, &handlers, &stand), 0);
    for (size_t i = 0; i < sizeof(heard) / sizeof(heard[0]); i++) {
        wait_ms(&stand, 1000);
        struct say say = {heard[i].device, "sensors",    "temperature",    value_number(20),
                          stand.time_ms,   heard[i].seq, heard[i].retained};
        give(&stand, &say);
    }
    expect(&stand, "missing greenhouse_001/sensors 2; missing greenhouse_002/sensors 1; ");
    assert_int_equal(engine_stats(stand.engine).missing, 3);
    close_stand(&stand);
}

/* A clock that ran ahead for one reading does not shut out those that follow. */
static void test_from_the_future(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, cool);
    struct say ahead = {"greenhouse_001",        "sensors", "temperature", value_number(25),
                        stand.time_ms + 3600000, 1,         false};
    give(&stand, &ahead);
    stand.time_ms += 1000;
    temperature(&stand, 29);
    expect(&stand, FIRED "29.0; ");
    close_stand(&stand);
}

static void test_bad_and_gone(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, cool);
    engine_unheard(stand.engine);
    temperature(&stand, 29);
    expect(&stand, FIRED "29.0; ");
    wait_ms(&stand, 1000);
    read_value(&stand, "greenhouse_001", "sensors", "temperature",
               (struct value){.type = VALUE_NONE});
    wait_ms(&stand, 8999);
    expect(&stand, "");
    wait_ms(&stand, 1); /* 10 s after the last known one */
    expect(&stand, "alert greenhouse_001/cool stale 1 unknown; ");
    wait_ms(&stand, 3600000);
    expect(&stand, "");
    temperature(&stand, 26);
    expect(&stand, "alert greenhouse_001/cool firing 1 26.0; ");
    wait_ms(&stand, 10000);
    expect(&stand, "alert greenhouse_001/cool stale 1 unknown; ");
    temperature(&stand, 20);
    expect(&stand, RESOLVED "20.0; ");
    close_stand(&stand);
}

static void test_offline(void **state)
{
    (void)state;
    struct stand stand;
    struct engine_place place = {"facility_a", "greenhouse_001"};
    open_stand(&stand, "{\"rules\":[{\"name\":\"wet\",\"select\":{\"measurement\":\"weather\"},"
                       "\"when\":\"rain and greenhouse_001.sensors.temperature > 20\","
                       "\"until\":\"not rain\","
                       "\"then\":[{\"command\":{\"actuator\":\"roof\",\"value\":\"shut\"}}]}]}");
    temperature(&stand, 25);
    assert_int_equal(engine_status(stand.engine, &place, true, stand.time_ms, stand.time_ms), 0);
    read_value(&stand, "mast", "weather", "rain", value_bool(true));
    expect(&stand, "");
    wait_ms(&stand, 1000);
    temperature(&stand, 25); /* it speaks again, and that is enough for the other device's rule */
    expect(&stand, "command mast/roof shut; ");
    close_stand(&stand);
}

static void test_derived_feeds_rules(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(
        &stand,
        "{\"derived\":[{\"name\":\"status\",\"select\":{\"measurement\":\"production\"},"
        "\"measurement\":\"status\",\"values\":{\"half\":\"units / 2\"}},"
        "{\"name\":\"more\",\"select\":{\"measurement\":\"status\"},\"measurement\":\"more\","
        "\"values\":{\"quarter\":\"half / 2\",\"none\":\"1 / (half - half)\"}}],"
        "\"rules\":[{\"name\":\"low\",\"select\":{\"measurement\":\"more\"},"
        "\"when\":\"quarter < 1\",\"alert\":true,\"message\":\"{quarter}\"}]}");
    read_value(&stand, "line_001", "production", "units", value_number(8));
    expect(&stand,
           "reading line_001/status half 4; reading line_001/more quarter 2 none missing; ");
    read_value(&stand, "line_001", "production", "units", value_number(2));
    expect(&stand,
           "reading line_001/status half 1; reading line_001/more quarter 0.5 none missing; "
           "alert line_001/low firing 1 0.5; ");
    read_value(&stand, "line_001", "status", "half", value_number(100)); /* back from the broker */
    expect(&stand, "");
    struct say retained = {"line_002", "production", "units", value_number(1), stand.time_ms,
                           1,          true};
    give(&stand, &retained);
    expect(&stand, "");
    close_stand(&stand);
}

/* Also where the reading that it is computed for is older than the one before. */
static void test_times_of_derived_readings_never_fall(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, "{\"derived\":[{\"name\":\"d\",\"select\":{\"measurement\":\"m\"},"
                       "\"measurement\":\"sum\",\"values\":{\"v\":\"a + n.b\"}}]}");
    const int64_t now_ms = stand.time_ms;
    const struct {
        struct say say;
        const char *decisions;
        int64_t ts_ms;
    } cases[] = {
        {{"line_001", "n", "b", value_number(1), now_ms - 500, 1, false}, "", 0},
        {{"line_001", "m", "a", value_number(2), now_ms, 1, false},
         "reading line_001/sum v 3; ",
         now_ms},
        {{"line_001", "n", "b", value_number(4), now_ms - 400, 2, false},
         "reading line_001/sum v 6; ",
         now_ms},
        {{"line_001", "m", "a", value_number(3), now_ms + 300, 2, false},
         "reading line_001/sum v 7; ",
         now_ms + 300},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        give(&stand, &cases[i].say);
        expect(&stand, cases[i].decisions);
        assert_int_equal(stand.derived_ms, cases[i].ts_ms);
    }
    close_stand(&stand);
}

static void test_for_and_clock(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, "{\"rules\":[{\"name\":\"hold\",\"select\":{\"measurement\":\"sensors\"},"
                       "\"when\":\"temperature > 28\",\"for\":\"5s\",\"clear_for\":\"2s\","
                       "\"then\":[{\"command\":{\"actuator\":\"fan\",\"value\":1}}],"
                       "\"else\":[{\"command\":{\"actuator\":\"fan\",\"value\":0}}]},"
                       "{\"name\":\"quiet\",\"select\":{\"measurement\":\"sensors\"},"
                       "\"when\":\"age(temperature) >= 20s\",\"then\":"
                       "[{\"command\":{\"actuator\":\"led\",\"value\":true}}]}]}");
    engine_unheard(stand.engine);
    temperature(&stand, 29);
    wait_ms(&stand, 4999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, "command greenhouse_001/fan 1; ");
    temperature(&stand, 20);
    wait_ms(&stand, 2000);
    expect(&stand, "command greenhouse_001/fan 0; ");
    wait_ms(&stand, 17999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, "command greenhouse_001/led true; ");
    close_stand(&stand);
}

#define ABSENT(device)                                                                            \
    "{\"rules\":[{\"name\":\"away\",\"select\":{\"location\":\"facility_a\",\"device\":\"" device \
    "\",\"measurement\":\"sensors\"},\"absent\":\"30s\",\"alert\":true}]}"
#define AWAY "alert greenhouse_001/away firing 1 greenhouse_001: no value came; "
#define BACK "alert greenhouse_001/away resolved 1 greenhouse_001: no value came; "

static void test_absent(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, ABSENT("greenhouse_*"));
    engine_listen(stand.engine, true, stand.time_ms);
    temperature(&stand, 20);
    wait_ms(&stand, 20000);
    temperature(&stand, 20);
    wait_ms(&stand, 29999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, AWAY);
    wait_ms(&stand, 100000);
    expect(&stand, "");
    read_value(&stand, "greenhouse_001", "sensors", "temperature",
               (struct value){.type = VALUE_NONE}); /* a fault is no sign of life */
    expect(&stand, "");
    temperature(&stand, 20);
    expect(&stand, BACK);
    close_stand(&stand);
}

static void test_absent_though_never_seen(void **state)
{
    (void)state;
    struct stand stand;
    struct engine_place announced = {"facility_a", "greenhouse_001"};
    open_stand(&stand, ABSENT("greenhouse_001"));
    wait_ms(&stand, 100000);
    engine_listen(stand.engine, true, stand.time_ms);
    wait_ms(&stand, 29999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, AWAY);
    close_stand(&stand);
    open_stand(&stand, ABSENT("greenhouse_*"));
    engine_listen(stand.engine, true, stand.time_ms);
    assert_int_equal(engine_announced(stand.engine, &announced, "other", stand.time_ms), 0);
    assert_int_equal((int)engine_stats(stand.engine).instances, 0);
    assert_int_equal(engine_announced(stand.engine, &announced, "sensors", stand.time_ms), 0);
    wait_ms(&stand, 30000);
    expect(&stand, AWAY);
    close_stand(&stand);
}

/* Nobody is absent because the broker is; and what was silent before is so again soon after. */
static void test_absent_while_nobody_listens(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, ABSENT("greenhouse_*"));
    engine_listen(stand.engine, true, stand.time_ms);
    temperature(&stand, 20);
    engine_listen(stand.engine, false, stand.time_ms);
    wait_ms(&stand, 1000000);
    expect(&stand, "");
    engine_listen(stand.engine, true, stand.time_ms);
    wait_ms(&stand, 29999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, AWAY);
    close_stand(&stand);
}

static void test_absent_over_a_restart(void **state)
{
    (void)state;
    struct stand stand;
    struct engine_memory active = {.rule = "away",
                                   .place = {"facility_a", "greenhouse_001"},
                                   .active = true,
                                   .episode = 1,
                                   .since_ms = 5000,
                                   .announced = true};
    open_stand(&stand, ABSENT("greenhouse_*"));
    engine_listen(stand.engine, true, stand.time_ms);
    assert_int_equal(engine_restore(stand.engine, &active, stand.time_ms), 0);
    wait_ms(&stand, 200000);
    expect(&stand, ""); /* it fires already */
    temperature(&stand, 20);
    expect(&stand, BACK);
    close_stand(&stand);
    open_stand(&stand, ABSENT("greenhouse_*"));
    engine_listen(stand.engine, true, stand.time_ms);
    retained_temperature(&stand, 20);
    wait_ms(&stand, 29999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, AWAY);
    close_stand(&stand);
}

#define DOES(more)                                                                                \
    "{\"time_zone\":\"Europe/Berlin\",\"rules\":[{\"name\":\"cool\",\"select\":{\"measurement\":" \
    "\"sensors\"},\"when\":\"temperature > 28\"," more "}]}"
#define FAN_ON \
    "\"then\":[{\"command\":{\"actuator\":\"fan\",\"value\":true,\"ttl\":\"1s\",\"retries\":2}}]"
#define ON "command greenhouse_001/fan true; "
#define NOT_DONE(reason)                                                                         \
    "alert greenhouse_001/cool_failed firing 1 greenhouse_001: fan was not carried out: " reason \
    ", tried 3 times; "

static void answer(struct stand *stand, enum command_outcome outcome, const char *reason)
{
    assert_true(engine_result(stand->engine, stand->id, outcome, reason, stand->time_ms));
}

static void test_an_answer_ends_it(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, DOES(FAN_ON));
    temperature(&stand, 29);
    expect(&stand, ON);
    answer(&stand, COMMAND_OK, NULL);
    wait_ms(&stand, 1000000);
    expect(&stand, "");
    assert_string_equal(buffer_string(&stand.memory), "greenhouse_001/cool active 1 owing; "
                                                      "greenhouse_001/cool active 1; ");
    assert_false(engine_result(stand.engine, "somebody-elses", COMMAND_OK, NULL, stand.time_ms));
    close_stand(&stand);
}

/* What was answered is asked under a new id; what was not, under the same, since it may have been
 * carried out. */
static void test_a_command_is_given_again(void **state)
{
    (void)state;
    struct stand stand;
    char first[COMMAND_ID_SIZE];
    open_stand(&stand, DOES(FAN_ON));
    temperature(&stand, 29);
    expect(&stand, ON);
    memcpy(first, stand.id, sizeof(first));
    wait_ms(&stand, 5999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, ON);
    assert_string_equal(stand.id, first);
    answer(&stand, COMMAND_FAILED, "verify_failed");
    wait_ms(&stand, 1999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, ON);
    assert_string_not_equal(stand.id, first);
    answer(&stand, COMMAND_FAILED, "device_offline");
    expect(&stand, NOT_DONE("device_offline"));
    wait_ms(&stand, 100000);
    expect(&stand, "");
    temperature(&stand, 20);
    temperature(&stand, 29);
    answer(&stand, COMMAND_OK, NULL);
    expect(&stand, ON "alert greenhouse_001/cool_failed resolved 1 greenhouse_001: fan was carried "
                      "out; ");
    close_stand(&stand);
}

static void test_what_cannot_be_mended_is_told_at_once(void **state)
{
    (void)state;
    static const char *const reasons[] = {"unknown_actuator", "bad_value",   "out_of_range",
                                          "exception_2",      "bad_payload", "retained"};
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        struct stand stand;
        open_stand(&stand, DOES(FAN_ON));
        temperature(&stand, 29);
        answer(&stand, COMMAND_REJECTED, reasons[i]);
        assert_non_null(strstr(buffer_string(&stand.decisions), "cool_failed firing 1"));
        wait_ms(&stand, 100000);
        assert_int_equal((int)engine_stats(stand.engine).commands, 1);
        close_stand(&stand);
    }
}

/* Whoever no longer wants it does not insist. */
static void test_what_is_no_longer_wanted_is_not_repeated(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, DOES(FAN_ON));
    temperature(&stand, 29);
    answer(&stand, COMMAND_FAILED, "timeout");
    temperature(&stand, 20);
    wait_ms(&stand, 100000);
    expect(&stand, ON);
    close_stand(&stand);
}

static void test_owed_commands_are_given_again_after_a_crash(void **state)
{
    (void)state;
    struct stand stand;
    char first[COMMAND_ID_SIZE];
    struct engine_memory owing = {.rule = "cool",
                                  .place = {"facility_a", "greenhouse_001"},
                                  .active = true,
                                  .owing = true,
                                  .episode = 1};
    open_stand(&stand, DOES(FAN_ON));
    owing.since_ms = stand.time_ms;
    temperature(&stand, 29);
    memcpy(first, stand.id, sizeof(first));
    engine_close(stand.engine);
    buffer_clear(&stand.decisions);
    open_engine(&stand);
    assert_int_equal(engine_restore(stand.engine, &owing, stand.time_ms), 0);
    wait_ms(&stand, 5000);
    expect(&stand, "");
    temperature(&stand, 29);
    expect(&stand, ON);
    assert_string_equal(stand.id, first);
    answer(&stand, COMMAND_OK, NULL);
    temperature(&stand, 29);
    expect(&stand, "");
    close_stand(&stand);
}

static void test_cool_down_and_most_an_hour(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, DOES(FAN_ON ",\"cool_down\":\"10m\",\"max_per_hour\":2"));
    temperature(&stand, 29);
    temperature(&stand, 20);
    expect(&stand, ON);
    temperature(&stand, 29);
    wait_ms(&stand, 599999);
    expect(&stand, ""); /* but wanted: stale data does not fire by itself */
    temperature(&stand, 29);
    wait_ms(&stand, 1);
    expect(&stand, ON);
    temperature(&stand, 20);
    wait_ms(&stand, 600000);
    for (int i = 0; i < 2399; i++) {
        temperature(&stand, 29);
        wait_ms(&stand, 1000);
    }
    expect(&stand, "");
    temperature(&stand, 29);
    wait_ms(&stand, 1000);
    expect(&stand, ON);
    close_stand(&stand);
}

static void test_enabled_by_the_clock(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand,
               DOES("\"enable\":{\"days\":[\"mon\"],\"from\":\"08:00\",\"to\":\"18:00\"}," FAN_ON
                    ",\"else\":[{\"command\":{\"actuator\":\"fan\",\"value\":false}}]"));
    stand.time_ms = INT64_C(1793602790000); /* Monday, 2 November 2026, 07:59:50 in Berlin */
    temperature(&stand, 29);
    wait_ms(&stand, 9999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, ON);
    wait_ms(&stand, INT64_C(10) * 3600 * 1000 - 1);
    buffer_clear(&stand.decisions); /* nobody answered */
    wait_ms(&stand, 1);
    expect(&stand, "command greenhouse_001/fan false; ");
    wait_ms(&stand, INT64_C(14) * 3600 * 1000);
    buffer_clear(&stand.decisions);
    temperature(&stand, 29); /* Tuesday */
    expect(&stand, "");
    close_stand(&stand);
}

static void test_publishes_on_edges(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand,
               DOES("\"then\":[{\"publish\":{\"measurement\":\"heat\",\"values\":{\"over\":"
                    "\"temperature - 28\"}}}],\"else\":[{\"publish\":{\"measurement\":\"heat\","
                    "\"values\":{\"over\":\"0\"}}}]"));
    temperature(&stand, 29);
    temperature(&stand, 30);
    temperature(&stand, 20);
    expect(&stand, "reading greenhouse_001/heat over 1; reading greenhouse_001/heat over 0; ");
    close_stand(&stand);
}

#define WINDOWED(when)                                                                      \
    "{\"rules\":[{\"name\":\"w\",\"select\":{\"measurement\":\"sensors\"},\"when\":\"" when \
    "\",\"alert\":true,\"stale_after\":\"1h\"}]}"
#define W(state) "alert greenhouse_001/w " state " 1 w; "

/* A window changes when a value leaves it, and that is when the rule is asked. */
static void test_windows_pass_by_themselves(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, WINDOWED("count(temperature, 64s) < 2"));
    temperature(&stand, 20);
    wait_ms(&stand, 40000);
    temperature(&stand, 20);
    wait_ms(&stand, 23999);
    expect(&stand, ""); /* not known yet, then both are in it until the first one's pane leaves */
    wait_ms(&stand, 1000);
    expect(&stand, W("firing"));
    wait_ms(&stand, 3600000 - 65000); /* it has long been 0, which is known */
    temperature(&stand, 20);
    wait_ms(&stand, 1000);
    temperature(&stand, 20);
    wait_ms(&stand, 62999); /* begun anew */
    expect(&stand, "");
    close_stand(&stand);
    open_stand(&stand, WINDOWED("mean(temperature, 64s) > 25"));
    temperature(&stand, 20);
    wait_ms(&stand, 40000);
    temperature(&stand, 28);
    wait_ms(&stand, 24000);
    expect(&stand, W("firing")); /* of 28 alone, at once when 20 has gone */
    close_stand(&stand);
}

/* While the broker is away no time passes for them, nor in the minute after. */
static void test_nothing_comes_from_a_broker_that_is_away(void **state)
{
    (void)state;
    static const char *const rules[] = {WINDOWED("count(temperature, 64s) < 2"),
                                        WINDOWED("age(temperature) > 64s")};
    for (size_t i = 0; i < 2; i++) {
        struct stand stand;
        open_stand(&stand, rules[i]);
        engine_listen(stand.engine, true, stand.time_ms);
        temperature(&stand, 20);
        wait_ms(&stand, 1000);
        temperature(&stand, 20);
        engine_listen(stand.engine, false, stand.time_ms);
        wait_ms(&stand, 100000);
        expect(&stand, "");
        engine_listen(stand.engine, true, stand.time_ms);
        wait_ms(&stand, 59000);
        expect(&stand, "");
        wait_ms(&stand, 3000);
        expect(&stand, W("firing"));
        close_stand(&stand);
    }
}

/* Silence that is nobody's business yet is looked at when the hours begin, and not without end. */
static void test_silence_outside_its_hours(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, "{\"rules\":[{\"name\":\"mute\",\"select\":{\"location\":\"facility_a\","
                       "\"device\":\"greenhouse_001\",\"measurement\":\"sensors\"},"
                       "\"absent\":\"30s\",\"alert\":true,"
                       "\"enable\":{\"from\":\"01:00\",\"to\":\"02:00\"}}]}");
    engine_listen(stand.engine, true, stand.time_ms);
    wait_ms(&stand, 3600000 - 1 - stand.time_ms);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, "alert greenhouse_001/mute firing 1 greenhouse_001: no value came; ");
    wait_ms(&stand, 3600000);
    expect(&stand, "alert greenhouse_001/mute resolved 1 greenhouse_001: no value came; ");
    close_stand(&stand);
}

#define CONTROLS(more) \
    "{\"rules\":[{\"name\":\"heat\",\"select\":{\"measurement\":\"sensors\"}," more "}]}"
#define HEATER(on) "command greenhouse_001/heater " on "; "

static void test_on_off(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand,
               CONTROLS("\"on_off\":{\"input\":\"temperature\",\"setpoint\":\"20\",\"band\":2,"
                        "\"action\":\"heats\",\"min_on\":\"10s\",\"min_off\":\"20s\","
                        "\"actuator\":\"heater\"}"));
    engine_unheard(stand.engine);
    temperature(&stand, 19.5);
    expect(&stand, "");
    temperature(&stand, 18.9);
    expect(&stand, HEATER("true"));
    temperature(&stand, 20.9);
    expect(&stand, "");
    temperature(&stand, 21.1);
    expect(&stand, ""); /* not yet */
    wait_ms(&stand, 9999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, HEATER("false"));
    temperature(&stand, 15);
    wait_ms(&stand, 19999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, HEATER("true"));
    close_stand(&stand);
}

#define PID(more)                                                                                 \
    CONTROLS(                                                                                     \
        "\"pid\":{\"input\":\"temperature\",\"setpoint\":\"20\",\"gain\":2,\"integral\":\"10s\"," \
        "\"minimum\":0,\"maximum\":100,\"sample\":\"1s\",\"actuator\":\"heater\"" more "}")

/* Error 5: from 0 on the integral part rises by 2 × 5 / 10 a second. */
static void test_pid_steps_by_itself(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, PID(""));
    engine_unheard(stand.engine);
    temperature(&stand, 15);
    expect(&stand, "");
    wait_ms(&stand, 999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, HEATER("1"));
    wait_ms(&stand, 2000);
    expect(&stand, HEATER("2") HEATER("3"));
    read_value(&stand, "greenhouse_001", "sensors", "temperature",
               (struct value){.type = VALUE_NONE});
    wait_ms(&stand, 60000);
    expect(&stand, ""); /* blind, it holds */
    temperature(&stand, 15);
    wait_ms(&stand, 1000);
    expect(&stand, HEATER("4"));
    close_stand(&stand);
}

static void test_pid_by_hand_and_back_without_a_bump(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand, PID(",\"auto\":\"not state.hand\",\"track\":\"state.valve\""));
    engine_unheard(stand.engine);
    read_value(&stand, "greenhouse_001", "state", "valve", value_number(60));
    read_value(&stand, "greenhouse_001", "state", "hand", value_bool(true));
    temperature(&stand, 15);
    wait_ms(&stand, 10000);
    expect(&stand, "");
    read_value(&stand, "greenhouse_001", "state", "hand", value_bool(false));
    wait_ms(&stand, 2000);
    expect(&stand, HEATER("61") HEATER("62"));
    close_stand(&stand);
}

/* A broker that comes back without its retained messages is told again, one that has them is not.
 */
static void test_alerts_that_the_broker_forgot(void **state)
{
    (void)state;
    struct stand stand;
    struct engine_memory kept = {.rule = "cool",
                                 .place = {"facility_a", "greenhouse_001"},
                                 .active = true,
                                 .episode = 1,
                                 .announced = true};
    open_stand(&stand, DOES("\"alert\":true,\"stale_after\":\"1h\""));
    engine_listen(stand.engine, true, stand.time_ms);
    temperature(&stand, 29);
    expect(&stand, "alert greenhouse_001/cool firing 1 cool; ");
    wait_ms(&stand, 10000);
    expect(&stand, "");
    engine_listen(stand.engine, false, stand.time_ms);
    engine_listen(stand.engine, true, stand.time_ms);
    kept.since_ms = stand.time_ms;
    assert_int_equal(engine_restore(stand.engine, &kept, stand.time_ms), 0);
    wait_ms(&stand, 10000);
    expect(&stand, "");
    engine_listen(stand.engine, false, stand.time_ms);
    engine_listen(stand.engine, true, stand.time_ms);
    wait_ms(&stand, 4999);
    expect(&stand, "");
    wait_ms(&stand, 1);
    expect(&stand, "alert greenhouse_001/cool firing 1 cool; ");
    wait_ms(&stand, 10000);
    expect(&stand, "");
    close_stand(&stand);
}

static void test_command_values(void **state)
{
    (void)state;
    struct stand stand;
    open_stand(&stand,
               "{\"rules\":[{\"name\":\"slow\",\"select\":{\"measurement\":\"sensors\"},"
               "\"when\":\"temperature > 28\",\"then\":[{\"command\":{\"device\":\"line_001\","
               "\"actuator\":\"speed\",\"expression\":\"1000 - temperature * 10\"}},"
               "{\"command\":{\"actuator\":\"vent\",\"expression\":\"humidity / 2\"}}]}]}");
    temperature(&stand, 30);
    expect(&stand, "command line_001/speed 700; ");
    assert_int_equal(engine_stats(stand.engine).unknown_values, 1);
    close_stand(&stand);
}

/* The same rules, another engine: the restart. */
static void restart(struct stand *stand, const struct engine_memory *memory)
{
    engine_close(stand->engine);
    open_engine(stand);
    assert_int_equal(engine_restore(stand->engine, memory, stand->time_ms), 0);
}

static void test_restart(void **state)
{
    (void)state;
    struct stand stand;
    struct engine_memory memory = {
        .rule = "cool",
        .place = {"facility_a", "greenhouse_001"},
        .active = true,
        .episode = 7,
        .since_ms = 1000,
        .announced = true,
    };
    open_stand(&stand, cool);
    restart(&stand, &memory);
    assert_int_equal(engine_stats(stand.engine).active, 1);
    temperature(&stand, 30);
    expect(&stand, ""); /* neither command nor alert again */
    temperature(&stand, 20);
    expect(&stand, "command greenhouse_001/fan false; alert greenhouse_001/cool resolved 7 20.0; ");
    temperature(&stand, 30);
    expect(&stand, "command greenhouse_001/fan true; alert greenhouse_001/cool firing 8 30.0; ");
    engine_close(stand.engine);
    open_engine(&stand);
    retained_temperature(&stand, 30); /* whichever of the retained ones comes first */
    assert_int_equal(engine_restore(stand.engine, &memory, stand.time_ms), 0);
    temperature(&stand, 30.5);
    expect(&stand, "");
    restart(&stand, &memory);
    wait_ms(&stand, 10000); /* nothing ever comes */
    expect(&stand, "alert greenhouse_001/cool stale 7 unknown; ");
    close_stand(&stand);
}

static void test_later_memory_holds(void **state)
{
    (void)state;
    struct stand stand;
    struct engine_memory on = {.rule = "cool",
                               .place = {"facility_a", "greenhouse_001"},
                               .active = true,
                               .episode = 7,
                               .since_ms = 1000};
    struct engine_memory off = on;
    open_stand(&stand, cool);
    off.active = false;
    off.since_ms = 2000;
    restart(&stand, &off);
    assert_int_equal(engine_restore(stand.engine, &on, stand.time_ms), 0);
    assert_int_equal(engine_stats(stand.engine).active, 0);
    temperature(&stand, 30);
    expect(&stand, "command greenhouse_001/fan true; alert greenhouse_001/cool firing 8 30.0; ");
    off.since_ms = 3000;
    off.episode = 9; /* a late word about the past does not undo the present */
    assert_int_equal(engine_restore(stand.engine, &off, stand.time_ms), 0);
    assert_int_equal(engine_stats(stand.engine).active, 1);
    off.rule = "unheard_of";
    assert_int_equal(engine_restore(stand.engine, &off, stand.time_ms), -ENOENT);
    off.rule = "cool";
    off.place.device = "shed";
    assert_int_equal(engine_restore(stand.engine, &off, stand.time_ms), -ENOENT);
    close_stand(&stand);
}

/* Killed between the memory and the broker: the alert is made good, the command not repeated. */
static void test_swallowed_alert(void **state)
{
    (void)state;
    struct stand stand;
    struct engine_memory in_file = {.rule = "cool",
                                    .place = {"facility_a", "greenhouse_001"},
                                    .active = true,
                                    .episode = 7,
                                    .since_ms = 2000};
    struct engine_memory at_broker = in_file;
    at_broker.announced = true;
    open_stand(&stand, cool);
    restart(&stand, &in_file);
    retained_temperature(&stand, 30);
    expect(&stand, "");
    stand.time_ms++;
    temperature(&stand, 30);
    temperature(&stand, 31);
    expect(&stand, "alert greenhouse_001/cool firing 7 30.0; ");

    restart(&stand, &in_file);
    assert_int_equal(engine_restore(stand.engine, &at_broker, stand.time_ms), 0);
    temperature(&stand, 30);
    expect(&stand, "");

    in_file.active = false;
    at_broker.since_ms = 1000;
    restart(&stand, &in_file);
    assert_int_equal(engine_restore(stand.engine, &at_broker, stand.time_ms), 0);
    temperature(&stand, 26);
    temperature(&stand, 26.5);
    expect(&stand, "alert greenhouse_001/cool resolved 7 26.0; ");
    close_stand(&stand);
}

/* 1,000 rules of which one reads the device: only that one is evaluated. */
static void test_only_who_reads_is_asked(void **state)
{
    (void)state;
    struct stand stand;
    struct buffer json = {0};
    buffer_text(&json, "{\"rules\":[");
    for (int i = 0; i < 1000; i++)
        buffer_format(&json,
                      "%s{\"name\":\"r%d\",\"select\":{\"device\":\"d%d\",\"measurement\":\"m\"},"
                      "\"when\":\"x > 1\",\"alert\":true}",
                      i ? "," : "", i, i);
    buffer_text(&json, "]}");
    open_stand(&stand, buffer_string(&json));
    for (int i = 0; i < 5; i++)
        read_value(&stand, "d500", "m", "x", value_number(i));
    assert_int_equal(engine_stats(stand.engine).steps, 5);
    assert_int_equal(engine_stats(stand.engine).alerts, 1);
    buffer_free(&json);
    close_stand(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_each_device_for_itself),
        cmocka_unit_test(test_retained_decides_nothing),
        cmocka_unit_test(test_old_and_double_change_nothing),
        cmocka_unit_test(test_missing_readings_are_counted),
        cmocka_unit_test(test_from_the_future),
        cmocka_unit_test(test_bad_and_gone),
        cmocka_unit_test(test_offline),
        cmocka_unit_test(test_derived_feeds_rules),
        cmocka_unit_test(test_times_of_derived_readings_never_fall),
        cmocka_unit_test(test_for_and_clock),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_absent_though_never_seen),
        cmocka_unit_test(test_absent_while_nobody_listens),
        cmocka_unit_test(test_absent_over_a_restart),
        cmocka_unit_test(test_an_answer_ends_it),
        cmocka_unit_test(test_a_command_is_given_again),
        cmocka_unit_test(test_what_cannot_be_mended_is_told_at_once),
        cmocka_unit_test(test_what_is_no_longer_wanted_is_not_repeated),
        cmocka_unit_test(test_owed_commands_are_given_again_after_a_crash),
        cmocka_unit_test(test_cool_down_and_most_an_hour),
        cmocka_unit_test(test_enabled_by_the_clock),
        cmocka_unit_test(test_publishes_on_edges),
        cmocka_unit_test(test_windows_pass_by_themselves),
        cmocka_unit_test(test_nothing_comes_from_a_broker_that_is_away),
        cmocka_unit_test(test_silence_outside_its_hours),
        cmocka_unit_test(test_on_off),
        cmocka_unit_test(test_pid_steps_by_itself),
        cmocka_unit_test(test_pid_by_hand_and_back_without_a_bump),
        cmocka_unit_test(test_alerts_that_the_broker_forgot),
        cmocka_unit_test(test_command_values),
        cmocka_unit_test(test_restart),
        cmocka_unit_test(test_later_memory_holds),
        cmocka_unit_test(test_swallowed_alert),
        cmocka_unit_test(test_only_who_reads_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
