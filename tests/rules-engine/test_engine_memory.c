/* What an engine tells its memory, another one is given: waits over outages, rules that were
 * changed meanwhile, alerts that nobody else would end. Virtual time; decisions as lines of text.
 */
#include "config.h"
#include "engine.h"

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
    void *settings;
    struct engine *engine;
    struct buffer decisions;
    int64_t time_ms;
    char id[COMMAND_ID_SIZE];   /* of the last command, until it is answered */
    const char *refused;        /* why the agent takes none; NULL: it does */
    struct engine_memory shown; /* the retained alert */
};

static const struct engine_place place = {"here", "boiler"};

static void on_memory(void *self, const struct engine_memory *memory)
{
    (void)self;
    (void)memory;
}

static void on_command(void *self, const struct engine_command *command)
{
    struct stand *stand = self;
    buffer_format(&stand->decisions, "%s %s; ", command->actuator,
                  command->value.boolean ? "on" : "off");
    snprintf(stand->id, sizeof(stand->id), "%s", command->id);
}

static void on_alert(void *self, const struct engine_place *of, const struct alert *alert)
{
    struct stand *stand = self;
    buffer_format(&stand->decisions, "%s %s %" PRIu64 "; ", alert->rule,
                  alert_state_name(alert->state), alert->episode);
    if (strcmp(alert->rule, "hot") == 0)
        stand->shown = (struct engine_memory){.rule = "hot",
                                              .place = *of,
                                              .active = alert->state != ALERT_RESOLVED,
                                              .episode = alert->episode,
                                              .since_ms = alert->since_ms,
                                              .announced = true};
}

static void answer(struct stand *stand)
{
    char id[COMMAND_ID_SIZE];
    snprintf(id, sizeof(id), "%s", stand->id);
    stand->id[0] = '\0';
    if (id[0])
        engine_result(stand->engine, id, stand->refused ? COMMAND_REJECTED : COMMAND_OK,
                      stand->refused, stand->time_ms);
}

static void on_reading(void *self, const struct engine_place *of, const char *measurement,
                       const char *derived, const struct reading *reading)
{
    (void)self;
    (void)of;
    (void)measurement;
    (void)derived;
    (void)reading;
}

/* `rule` is what stands behind its name and selection. */
static void open_rules(struct stand *stand, const char *rule)
{
    static const struct engine_handlers handlers = {.on_memory = on_memory,
                                                    .on_command = on_command,
                                                    .on_alert = on_alert,
                                                    .on_reading = on_reading};
    struct buffer json = {0};
    buffer_format(&json, "{\"rules\":[%s%s%s]}",
                  rule ? "{\"name\":\"hot\",\"select\":{\"measurement\":\"m\"}," : "",
                  rule ? rule : "", rule ? "}" : "");
    assert_int_equal(config_open_text(&stand->config, "rules.json", buffer_string(&json)), 0);
    assert_int_equal(settings_configure(&stand->settings, config_root(stand->config)), 0);
    if (!config_check(stand->config)) {
        config_report(stand->config, stderr);
        fail();
    }
    assert_int_equal(engine_open(&stand->engine, stand->settings, &handlers, stand), 0);
    buffer_free(&json);
}

static void close_rules(struct stand *stand)
{
    engine_close(stand->engine);
    settings_discard(stand->settings);
    config_close(stand->config);
}

static void begin(struct stand *stand, const char *rule)
{
    *stand = (struct stand){.time_ms = 1000000};
    open_rules(stand, rule);
    engine_listen(stand->engine, true, stand->time_ms);
}

static void end(struct stand *stand)
{
    close_rules(stand);
    buffer_free(&stand->decisions);
}

static void give_back(void *self, const struct engine_memory *memory)
{
    struct stand *fresh = self;
    engine_restore(fresh->engine, memory, fresh->time_ms);
}

/* Away for so long, and back with these rules. */
static void restart(struct stand *stand, int64_t away_ms, const char *rule)
{
    struct stand old = *stand;
    struct engine_cursor cursor = {0};
    stand->time_ms += away_ms;
    open_rules(stand, rule);
    assert_false(engine_remember(old.engine, &cursor, SIZE_MAX, give_back, stand));
    engine_slept(stand->engine, old.time_ms);
    engine_listen(stand->engine, true, stand->time_ms);
    if (stand->shown.rule) {
        stand->shown.place = place;
        engine_restore(stand->engine, &stand->shown, stand->time_ms);
    }
    close_rules(&old);
}

static void wait_ms(struct stand *stand, int64_t ms)
{
    int64_t end_ms = stand->time_ms + ms;
    for (int i = 0; engine_next_ms(stand->engine) <= end_ms; i++) {
        assert_in_range(i, 0, 1000); /* a moment that never passes */
        engine_tick(stand->engine, engine_next_ms(stand->engine));
        answer(stand);
    }
    stand->time_ms = end_ms;
}

static void give(struct stand *stand, double x, bool retained)
{
    struct reading reading = {0};
    reading_reset(&reading, ++stand->time_ms, 1);
    if (x >= 0)
        reading_add(&reading, "x", value_number(x));
    else
        reading_add_fault(&reading, "x", "timeout");
    assert_int_equal(engine_reading(stand->engine, &place, "m", &reading, retained, stand->time_ms),
                     0);
    reading_free(&reading);
    answer(stand);
}

static void say(struct stand *stand, double x)
{
    give(stand, x, false);
}

static void expect(struct stand *stand, const char *decisions)
{
    assert_string_equal(buffer_string(&stand->decisions), decisions);
    buffer_clear(&stand->decisions);
}

#define WAITS "\"when\":\"x > 5\",\"for\":\"10s\",\"clear_for\":\"10s\",\"alert\":true"

static void test_a_wait_goes_on(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, WAITS);
    say(&stand, 9);
    wait_ms(&stand, 4000);
    restart(&stand, 5000, WAITS);
    wait_ms(&stand, 20000);
    expect(&stand, ""); /* time alone decides nothing */
    say(&stand, 9);
    expect(&stand, "hot firing 1; ");
    say(&stand, 1);
    wait_ms(&stand, 2000);
    restart(&stand, 2000, WAITS);
    say(&stand, 1);
    wait_ms(&stand, 5995);
    expect(&stand, "");
    wait_ms(&stand, 10);
    expect(&stand, "hot resolved 1; ");
    end(&stand);
}

/* Each of them is what may have happened meanwhile. */
static void test_a_wait_begins_anew(void **state)
{
    (void)state;
    static const struct {
        int64_t away_ms;
        double retained, first; /* -1: not known; -2: there is none */
    } cases[] = {{30001, -2, 9}, {-2000, -2, 9}, {1000, -2, -1}, {1000, 1, 9}, {1000, -2, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct stand stand;
        begin(&stand, WAITS);
        say(&stand, 9);
        wait_ms(&stand, 9000);
        restart(&stand, cases[i].away_ms, WAITS);
        if (cases[i].retained > -2)
            give(&stand, cases[i].retained, true);
        say(&stand, cases[i].first);
        say(&stand, 9);
        wait_ms(&stand, 9990);
        expect(&stand, "");
        wait_ms(&stand, 10);
        expect(&stand, "hot firing 1; ");
        end(&stand);
    }
}

/* The broker away is an outage like any other. */
static void test_a_broker_that_was_away(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, "\"when\":\"x > 5\",\"for\":\"1m\",\"alert\":true");
    say(&stand, 9);
    wait_ms(&stand, 20000);
    engine_listen(stand.engine, false, stand.time_ms);
    wait_ms(&stand, 29000);
    engine_listen(stand.engine, true, stand.time_ms);
    say(&stand, 9);
    wait_ms(&stand, 11000);
    expect(&stand, "hot firing 1; ");
    end(&stand);
    begin(&stand, "\"when\":\"x > 5\",\"for\":\"1m\",\"alert\":true");
    say(&stand, 9);
    engine_listen(stand.engine, false, stand.time_ms);
    wait_ms(&stand, 31000);
    engine_listen(stand.engine, true, stand.time_ms);
    for (int i = 0; i < 6; i++) {
        say(&stand, 9);
        wait_ms(&stand, 9999);
    }
    expect(&stand, "");
    say(&stand, 9);
    expect(&stand, "hot firing 1; ");
    end(&stand);
}

#define FAN                                                                                   \
    "\"then\":[{\"command\":{\"actuator\":\"fan\",\"value\":true}}],\"else\":[{\"command\":{" \
    "\"actuator\":\"fan\",\"value\":false}}]"

static void test_cool_down_over_a_restart(void **state)
{
    (void)state;
    static const char rule[] = "\"when\":\"x > 5\",\"cool_down\":\"1m\"," FAN;
    static const char other[] = "\"when\":\"x > 6\",\"cool_down\":\"1m\"," FAN;
    struct stand stand;
    begin(&stand, rule);
    say(&stand, 9);
    wait_ms(&stand, 20000);
    say(&stand, 1);
    expect(&stand, "fan on; fan off; ");
    restart(&stand, 1000, rule);
    restart(&stand, 1000, other); /* it is for the actuator: also where the rule was changed */
    say(&stand, 9);
    wait_ms(&stand, 30000);
    say(&stand, 9);
    expect(&stand, "");
    wait_ms(&stand, 8000); /* a minute from the firing, not from the clearing */
    expect(&stand, "fan on; ");
    end(&stand);
}

static void test_most_an_hour_over_restarts(void **state)
{
    (void)state;
    static const char rule[] = "\"when\":\"x > 5\",\"max_per_hour\":3," FAN;
    struct stand stand;
    begin(&stand, rule);
    for (int i = 0; i < 5; i++) {
        say(&stand, 9);
        say(&stand, 1);
        restart(&stand, 60000, rule);
        expect(&stand, i < 3 ? "fan on; fan off; " : "");
    }
    wait_ms(&stand, 3600000 - 5 * 60000 + 10); /* since the first */
    say(&stand, 9);
    expect(&stand, "fan on; ");
    end(&stand);
}

static void test_least_times_over_a_restart(void **state)
{
    (void)state;
    static const char rule[] =
        "\"on_off\":{\"input\":\"x\",\"setpoint\":\"5\",\"band\":2,\"action\":\"heats\","
        "\"min_on\":\"1m\",\"min_off\":\"2m\",\"actuator\":\"heater\"}";
    struct stand stand;
    begin(&stand, rule);
    say(&stand, 1);
    restart(&stand, 40000, rule);
    say(&stand, 9);
    expect(&stand, "heater on; ");
    wait_ms(&stand, 19000);
    expect(&stand, "");
    wait_ms(&stand, 1000);
    expect(&stand, "heater off; ");
    restart(&stand, 100000, rule);
    say(&stand, 1);
    wait_ms(&stand, 19000);
    expect(&stand, "");
    say(&stand, 1);
    wait_ms(&stand, 1000);
    expect(&stand, "heater on; ");
    end(&stand);
}

#define BAND(when) "\"when\":\"x > " when "\",\"until\":\"x < 2\",\"alert\":true," FAN

static void test_changed_rules(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, BAND("5"));
    say(&stand, 9);
    expect(&stand, "fan on; hot firing 1; ");
    restart(&stand, 1000, "\"message\":\"other\",\"severity\":\"info\"," BAND("5"));
    say(&stand, 3); /* within its band: as it was */
    restart(&stand, 1000, BAND("6"));
    say(&stand, 9);
    say(&stand, 3);
    expect(&stand, "");
    restart(&stand, 1000, BAND("7"));
    restart(&stand, 1000, BAND("7")); /* not forgotten meanwhile */
    say(&stand, 3);
    expect(&stand, "fan off; hot resolved 1; ");
    say(&stand, 9);
    expect(&stand, "fan on; hot firing 2; ");
    end(&stand);
}

static void test_alerts_without_a_rule(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, BAND("5"));
    stand.refused = "unknown_actuator";
    say(&stand, 9);
    expect(&stand, "fan on; hot firing 1; hot_failed firing 1; ");
    for (int i = 0; i < 2; i++) { /* again, since the broker has not shown them */
        restart(&stand, 1000, NULL);
        expect(&stand, "hot resolved 1; hot_failed resolved 1; ");
    }
    engine_alert_came(stand.engine, &place, "hot");
    restart(&stand, 1000, NULL);
    expect(&stand, "hot_failed resolved 1; ");
    engine_alert_came(stand.engine, &place, "hot_failed");
    engine_alert_came(stand.engine, &place, "nobody_failed");
    restart(&stand, 1000, NULL);
    expect(&stand, "");
    assert_int_equal(engine_stats(stand.engine).ended, 0);
    end(&stand);
}

static void test_a_failed_command_is_remembered(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand, "\"when\":\"x > 5\"," FAN);
    stand.refused = "unknown_actuator";
    say(&stand, 9);
    expect(&stand, "fan on; hot_failed firing 1; ");
    restart(&stand, 1000, "\"when\":\"x > 5\"," FAN);
    stand.refused = NULL;
    say(&stand, 1);
    expect(&stand, "fan off; hot_failed resolved 1; ");
    end(&stand);
}

static void test_alerts_that_a_rule_gives_no_more(void **state)
{
    (void)state;
    static const char silent[] = "\"when\":\"x > 5\"," FAN;
    struct stand stand;
    begin(&stand, "\"when\":\"x > 5\",\"alert\":true," FAN);
    say(&stand, 9);
    expect(&stand, "fan on; hot firing 1; ");
    for (int i = 0; i < 2; i++) {
        restart(&stand, 1000, silent);
        expect(&stand, "hot resolved 1; ");
        say(&stand, 9);
        expect(&stand, "");
    }
    engine_alert_came(stand.engine, &place, "hot");
    restart(&stand, 1000, silent);
    restart(&stand, 1000, "\"when\":\"x > 5\",\"alert\":true," FAN);
    say(&stand, 9); /* and it is still active */
    expect(&stand, "hot firing 1; ");
    restart(&stand, 1000, silent);
    expect(&stand, "hot resolved 1; ");
    say(&stand, 1);
    expect(&stand, "fan off; ");
    end(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_wait_goes_on),
        cmocka_unit_test(test_a_wait_begins_anew),
        cmocka_unit_test(test_a_broker_that_was_away),
        cmocka_unit_test(test_cool_down_over_a_restart),
        cmocka_unit_test(test_most_an_hour_over_restarts),
        cmocka_unit_test(test_least_times_over_a_restart),
        cmocka_unit_test(test_changed_rules),
        cmocka_unit_test(test_alerts_without_a_rule),
        cmocka_unit_test(test_a_failed_command_is_remembered),
        cmocka_unit_test(test_alerts_that_a_rule_gives_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
