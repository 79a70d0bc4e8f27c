/* The life of a command, in virtual time: every outcome and reason that it can end with. */
#include "actuator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TIME_MS 1763805600000 /* wall clock where the monotonic one is 0 */
#define SAID_MAX 16

struct said_result {
    char id[COMMAND_ID_SIZE];
    enum command_outcome outcome;
    char reason[32];
    char message[160];
    char response_topic[64];
    char correlation[16];
    struct value value; /* no texts in these tests but "text" */
    struct value previous;
    struct value wanted;
    int64_t ts_ms;
    int64_t queued_ms;
    int64_t took_ms;
    char actuator[TOPIC_NAME_SIZE];
    bool dry_run;
};

/* One actuator, its clock, and what it said. */
struct bench {
    struct actuator *actuator;
    struct actuator_settings settings;
    int64_t now_ms;
    struct said_result results[SAID_MAX];
    size_t n_results;
    struct command_state states[SAID_MAX];
    char state_source[SAID_MAX][COMMAND_SOURCE_SIZE];
    char state_id[SAID_MAX][COMMAND_ID_SIZE];
    size_t n_states;
};

static void copy(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%s", text ? text : "");
}

static void on_result(void *self, const struct actuator *actuator,
                      const struct command_result *result, const char *response_topic,
                      const void *correlation, size_t correlation_size)
{
    struct bench *bench = self;
    struct said_result *said = &bench->results[bench->n_results++];

    assert_true(bench->n_results <= SAID_MAX);
    memset(said, 0, sizeof *said);
    copy(said->id, sizeof said->id, result->id);
    said->outcome = result->outcome;
    copy(said->reason, sizeof said->reason, result->reason);
    copy(said->message, sizeof said->message, result->message);
    copy(said->response_topic, sizeof said->response_topic, response_topic);
    memcpy(said->correlation, correlation_size ? correlation : "", correlation_size);
    said->value = result->value;
    said->previous = result->previous;
    said->wanted = result->wanted;
    said->ts_ms = result->ts_ms;
    said->queued_ms = result->queued_ms;
    said->took_ms = result->took_ms;
    said->dry_run = result->dry_run;
    copy(said->actuator, sizeof said->actuator, actuator_settings(actuator)->name);
}

static void on_state(void *self, const struct actuator *actuator, const struct command_state *state)
{
    struct bench *bench = self;
    size_t i = bench->n_states++;

    (void)actuator;
    assert_true(bench->n_states <= SAID_MAX);
    bench->states[i] = *state;
    copy(bench->state_source[i], COMMAND_SOURCE_SIZE, state->source);
    copy(bench->state_id[i], COMMAND_ID_SIZE, state->command_id);
}

static const struct actuator_handlers handlers = {.on_result = on_result, .on_state = on_state};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    bench->settings = (struct actuator_settings){
        .name = "fan", .type = ACTUATOR_BOOL, .min = -INFINITY, .max = INFINITY};
    assert_int_equal(actuator_open(&bench->actuator, &bench->settings, &handlers, bench, 0), 0);
    *state = bench;
    return 0;
}

static int teardown(void **state)
{
    struct bench *bench = *state;

    actuator_close(bench->actuator);
    free(bench);
    return 0;
}

static int64_t time_of(const struct bench *bench)
{
    return TIME_MS + bench->now_ms;
}

static void offer_request(struct bench *bench, const struct actuator_request *request)
{
    actuator_offer(bench->actuator, request, true, bench->now_ms, time_of(bench));
}

static void offer(struct bench *bench, const char *payload)
{
    struct actuator_request request = {.payload = payload, .size = strlen(payload)};

    offer_request(bench, &request);
}

static const struct value *next(struct bench *bench)
{
    return actuator_next(bench->actuator, bench->now_ms, time_of(bench));
}

static void done(struct bench *bench, enum command_outcome outcome, const char *reason,
                 struct value held)
{
    actuator_done(bench->actuator, outcome, reason, held, bench->now_ms, time_of(bench));
}

static const struct value nothing = {.type = VALUE_NONE};

static void assert_said(const struct bench *bench, size_t n, const char *id,
                        enum command_outcome outcome, const char *reason)
{
    const struct said_result *said = &bench->results[n - 1];

    assert_int_equal(bench->n_results, n);
    assert_string_equal(said->id, id);
    assert_int_equal(said->outcome, outcome);
    assert_string_equal(said->reason, reason);
}

/* Carries out one command with this id and confirms it. */
static void carry_out(struct bench *bench, const char *payload)
{
    offer(bench, payload);
    assert_non_null(next(bench));
    done(bench, COMMAND_OK, NULL, nothing);
}

static void a_command_is_written_confirmed_and_told(void **state)
{
    struct bench *bench = *state;
    struct actuator_request request = {
        .payload = "{\"value\":\"ON\",\"id\":\"a1\",\"source\":\"operator\"}",
        .response_topic = "reply/here",
        .correlation = "42",
        .correlation_size = 2};
    const struct value *value;

    request.size = strlen(request.payload);
    offer_request(bench, &request);
    assert_int_equal(bench->n_results, 0);
    assert_true(actuator_waiting(bench->actuator));
    bench->now_ms = 3;
    value = next(bench);
    assert_true(value && value->type == VALUE_BOOL && value->boolean);
    assert_false(actuator_waiting(bench->actuator));
    bench->now_ms = 15;
    done(bench, COMMAND_OK, NULL, value_bool(true));

    assert_said(bench, 1, "a1", COMMAND_OK, "");
    assert_string_equal(bench->results[0].response_topic, "reply/here");
    assert_string_equal(bench->results[0].correlation, "42");
    assert_true(bench->results[0].value.type == VALUE_BOOL && bench->results[0].value.boolean);
    assert_int_equal(bench->results[0].queued_ms, 3);
    assert_int_equal(bench->results[0].took_ms, 12);
    assert_int_equal(bench->n_states, 1);
    assert_true(bench->states[0].value.boolean);
    assert_int_equal(bench->states[0].ts_ms, TIME_MS + 15);
    assert_string_equal(bench->state_source[0], "operator");
    assert_string_equal(bench->state_id[0], "a1");
}

static void booleans_come_in_many_spellings(void **state)
{
    static const struct {
        const char *payload;
        bool means;
    } cases[] = {{"ON", true},
                 {"off", false},
                 {"true", true},
                 {"0", false},
                 {"1", true},
                 {"{\"value\":\"OFF\"}", false},
                 {"{\"value\":1}", true},
                 {"{\"value\":false}", false}};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct value *value;

        offer(bench, cases[i].payload);
        value = next(bench);
        assert_non_null(value);
        assert_int_equal(value->type, VALUE_BOOL);
        assert_int_equal(value->boolean, cases[i].means);
        done(bench, COMMAND_OK, NULL, nothing);
        assert_int_equal(bench->results[i].value.boolean, cases[i].means);
    }
}

static void retained_commands_are_refused(void **state)
{
    struct bench *bench = *state;
    struct actuator_request request = {.payload = "{\"value\":true,\"id\":\"a1\"}",
                                       .retained = true};

    request.size = strlen(request.payload);
    offer_request(bench, &request);
    assert_said(bench, 1, "a1", COMMAND_REJECTED, "retained");
    assert_null(next(bench));
    carry_out(bench, request.payload); /* its id was not used up */
    assert_said(bench, 2, "a1", COMMAND_OK, "");
}

static void bad_payloads_are_refused_with_a_sentence(void **state)
{
    static const char *const payloads[] = {"", "{", "{\"id\":\"a\"}", "null", "[1]", "\x01"};
    struct bench *bench = *state;

    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
        offer(bench, payloads[i]);
        assert_said(bench, i + 1, "", COMMAND_REJECTED, "bad_payload");
        assert_string_not_equal(bench->results[i].message, "");
    }
    assert_null(next(bench));
}

static void bad_values_are_refused(void **state)
{
    struct bench *bench = *state;

    offer(bench, "{\"value\":\"maybe\",\"id\":\"1\"}");
    assert_said(bench, 1, "1", COMMAND_REJECTED, "bad_value");
    offer(bench, "2");
    assert_said(bench, 2, "", COMMAND_REJECTED, "bad_value");
    bench->settings.type = ACTUATOR_NUMBER;
    offer(bench, "ON");
    assert_said(bench, 3, "", COMMAND_REJECTED, "bad_value");
    bench->settings.type = ACTUATOR_TEXT;
    offer(bench, "3");
    assert_said(bench, 4, "", COMMAND_REJECTED, "bad_value");
    assert_null(next(bench));
}

static void limits_hold(void **state)
{
    struct bench *bench = *state;

    bench->settings.type = ACTUATOR_NUMBER;
    bench->settings.min = 0;
    bench->settings.max = 2000;
    offer(bench, "2000.5");
    assert_said(bench, 1, "", COMMAND_REJECTED, "out_of_range");
    offer(bench, "-1");
    assert_said(bench, 2, "", COMMAND_REJECTED, "out_of_range");
    carry_out(bench, "2000");
    assert_said(bench, 3, "", COMMAND_OK, "");
    assert_true(bench->results[2].value.number == 2000);
}

static void a_repeated_id_gets_the_first_answer_and_writes_nothing(void **state)
{
    struct bench *bench = *state;

    carry_out(bench, "{\"value\":true,\"id\":\"a1\"}");
    offer(bench, "{\"value\":false,\"id\":\"a1\"}");
    assert_said(bench, 2, "a1", COMMAND_OK, "duplicate");
    assert_true(bench->results[1].value.boolean);
    assert_null(next(bench));

    offer(bench, "{\"value\":7,\"id\":\"a2\"}");
    offer(bench, "{\"value\":true,\"id\":\"a2\"}");
    assert_said(bench, 4, "a2", COMMAND_REJECTED, "duplicate");
    assert_string_equal(bench->results[3].message, "bad_value");
    assert_null(next(bench));
}

static void a_repeat_of_what_is_under_way_is_answered_when_that_ends(void **state)
{
    struct bench *bench = *state;

    offer(bench, "{\"value\":true,\"id\":\"a1\"}");
    offer(bench, "{\"value\":true,\"id\":\"a1\"}");
    assert_non_null(next(bench));
    offer(bench, "{\"value\":true,\"id\":\"a1\"}");
    assert_int_equal(bench->n_results, 0);
    done(bench, COMMAND_FAILED, "timeout", nothing);
    assert_said(bench, 3, "a1", COMMAND_FAILED, "duplicate");
    assert_string_equal(bench->results[0].reason, "timeout");
    assert_null(next(bench));
}

static void the_ledger_is_bounded_and_forgets_the_oldest(void **state)
{
    struct bench *bench = *state;
    char payload[64];

    for (int i = 0; i <= ACTUATOR_LEDGER; i++) {
        snprintf(payload, sizeof payload, "{\"value\":true,\"id\":\"n%d\"}", i);
        carry_out(bench, payload);
        bench->n_results = 0;
        bench->n_states = 0;
    }
    offer(bench, "{\"value\":true,\"id\":\"n1\"}");
    assert_said(bench, 1, "n1", COMMAND_OK, "duplicate");
    offer(bench, "{\"value\":true,\"id\":\"n0\"}");
    assert_int_equal(bench->n_results, 1);
    assert_non_null(next(bench));
}

static void commands_without_id_are_never_duplicates(void **state)
{
    struct bench *bench = *state;

    carry_out(bench, "ON");
    carry_out(bench, "ON");
    assert_said(bench, 2, "", COMMAND_OK, "");
}

static void an_absent_device_takes_no_command(void **state)
{
    struct bench *bench = *state;
    struct actuator_request request = {.payload = "ON", .size = 2};

    actuator_offer(bench->actuator, &request, false, 0, TIME_MS);
    assert_said(bench, 1, "", COMMAND_REJECTED, "device_offline");
    assert_null(next(bench));
    offer(bench, "{\"value\":true,\"id\":\"q\"}");
    actuator_offline(bench->actuator, bench->now_ms, time_of(bench));
    assert_said(bench, 2, "q", COMMAND_REJECTED, "device_offline");
    assert_null(next(bench));
}

/* Offers, waits, and tells whether the command could still act after that long. */
static bool acts_after(struct bench *bench, const char *payload, uint32_t expiry_s, int64_t wait_ms)
{
    struct actuator_request request = {
        .payload = payload, .size = strlen(payload), .expiry_s = expiry_s};
    bool acts;

    offer_request(bench, &request);
    bench->now_ms += wait_ms;
    acts = next(bench) != NULL;
    if (acts)
        done(bench, COMMAND_OK, NULL, nothing);
    else
        assert_int_equal(bench->results[bench->n_results - 1].outcome, COMMAND_EXPIRED);
    return acts;
}

static void a_bare_command_lives_ten_seconds(void **state)
{
    struct bench *bench = *state;

    assert_true(acts_after(bench, "ON", 0, 9999));
    assert_false(acts_after(bench, "ON", 0, 10000));
    assert_false(acts_after(bench, "ON", 0, 3600 * 1000));
}

static void ts_and_ttl_bound_a_life(void **state)
{
    struct bench *bench = *state;
    char payload[128];

    snprintf(payload, sizeof payload, "{\"value\":true,\"ts\":%lld,\"ttl_ms\":5000}",
             TIME_MS - 4000LL);
    assert_true(acts_after(bench, payload, 0, 999));
    bench->now_ms = 0;
    assert_false(acts_after(bench, payload, 0, 1000));
    bench->now_ms = 1000; /* stale on arrival */
    offer(bench, payload);
    assert_said(bench, 3, "", COMMAND_EXPIRED, "");
    assert_false(actuator_waiting(bench->actuator));

    bench->now_ms = 0; /* a sender whose clock is an hour ahead gains nothing */
    snprintf(payload, sizeof payload, "{\"value\":true,\"ts\":%lld,\"ttl_ms\":5000}",
             TIME_MS + 3600000LL);
    assert_false(acts_after(bench, payload, 0, 5000));
    bench->now_ms = 0; /* and neither does one that lies about either */
    assert_true(acts_after(bench, "{\"value\":true,\"ttl_ms\":9007199254740991}", 0, 1));
}

static void message_expiry_bounds_a_life(void **state)
{
    struct bench *bench = *state;

    assert_true(acts_after(bench, "ON", 2, 1999));
    assert_false(acts_after(bench, "ON", 2, 2000));
    assert_false(acts_after(bench, "ON", 3600, 10000)); /* it only shortens */
}

static void a_newer_command_supersedes_one_still_queued(void **state)
{
    struct bench *bench = *state;
    const struct value *value;

    offer(bench, "{\"value\":true,\"id\":\"a\"}");
    assert_non_null(next(bench));
    offer(bench, "{\"value\":false,\"id\":\"b\"}");
    assert_int_equal(bench->n_results, 0); /* what is in flight is not touched */
    offer(bench, "{\"value\":true,\"id\":\"c\"}");
    assert_said(bench, 1, "b", COMMAND_SUPERSEDED, "");
    assert_null(next(bench)); /* one at a time */
    done(bench, COMMAND_OK, NULL, nothing);
    assert_said(bench, 2, "a", COMMAND_OK, "");
    value = next(bench);
    assert_true(value && value->boolean);
    done(bench, COMMAND_OK, NULL, nothing);
    assert_said(bench, 3, "c", COMMAND_OK, "");
}

static void a_refused_command_supersedes_nothing(void **state)
{
    struct bench *bench = *state;

    offer(bench, "{\"value\":true,\"id\":\"a\"}");
    offer(bench, "{\"value\":7,\"id\":\"b\"}");
    assert_said(bench, 1, "b", COMMAND_REJECTED, "bad_value");
    assert_non_null(next(bench));
}

static void failures_carry_reason_message_and_truth(void **state)
{
    struct bench *bench = *state;

    offer(bench, "ON");
    assert_non_null(next(bench));
    actuator_explain(bench->actuator, "the device answered: ERR,pin");
    done(bench, COMMAND_FAILED, "verify_failed", value_bool(false));
    assert_said(bench, 1, "", COMMAND_FAILED, "verify_failed");
    assert_string_equal(bench->results[0].message, "the device answered: ERR,pin");
    assert_true(bench->results[0].value.type == VALUE_BOOL && !bench->results[0].value.boolean);
    assert_int_equal(bench->n_states, 1); /* the truth, and that the device said it */
    assert_false(bench->states[0].value.boolean);
    assert_string_equal(bench->state_source[0], "device");

    offer(bench, "ON");
    assert_non_null(next(bench));
    done(bench, COMMAND_FAILED, "timeout", nothing);
    assert_said(bench, 2, "", COMMAND_FAILED, "timeout");
    assert_string_equal(bench->results[1].message, ""); /* that of the last one is gone */
    assert_int_equal(bench->results[1].value.type, VALUE_NONE);
    assert_int_equal(bench->n_states, 1);
}

static void what_a_poll_finds_is_told_when_it_differs(void **state)
{
    struct bench *bench = *state;

    actuator_announce(bench->actuator);
    assert_int_equal(bench->n_states, 0);
    actuator_observe(bench->actuator, value_number(0), bench->now_ms, time_of(bench));
    actuator_observe(bench->actuator, value_bool(false), bench->now_ms, time_of(bench));
    assert_int_equal(bench->n_states, 1);
    assert_int_equal(bench->states[0].value.type, VALUE_BOOL);
    actuator_observe(bench->actuator, value_number(17), bench->now_ms, time_of(bench));
    assert_int_equal(bench->n_states, 1);
    actuator_observe(bench->actuator, value_bool(true), bench->now_ms, time_of(bench));
    assert_int_equal(bench->n_states, 2);
    actuator_announce(bench->actuator);
    assert_int_equal(bench->n_states, 3);
    assert_true(bench->states[2].value.boolean);

    offer(bench, "OFF");
    assert_non_null(next(bench));
    actuator_observe(bench->actuator, value_bool(false), bench->now_ms, time_of(bench));
    assert_int_equal(bench->n_states, 3); /* who knows whether it was read before the write */
}

static void texts_are_kept_as_copies(void **state)
{
    struct bench *bench = *state;
    char held[] = "auto";

    bench->settings.type = ACTUATOR_TEXT;
    offer(bench, "manual");
    assert_string_equal(next(bench)->text, "manual");
    done(bench, COMMAND_OK, NULL, nothing);
    actuator_observe(bench->actuator, value_text(held), bench->now_ms, time_of(bench));
    memset(held, 'x', 4);
    actuator_announce(bench->actuator);
    assert_int_equal(bench->n_states, 3);
    assert_string_equal(bench->states[2].value.text, "auto");
}

static void unknown_actuators_are_answered(void **state)
{
    struct bench *bench = *state;
    struct actuator_request request = {.payload = "{\"value\":1,\"id\":\"x\"}",
                                       .response_topic = "reply"};

    request.size = strlen(request.payload);
    actuator_reject_unknown("valve", &request, TIME_MS, &handlers, bench);
    assert_said(bench, 1, "x", COMMAND_REJECTED, "unknown_actuator");
    assert_string_equal(bench->results[0].actuator, "valve");
    assert_string_equal(bench->results[0].response_topic, "reply");
}

static void the_guard_is_asked_at_arrival_and_before_the_write(void **state)
{
    struct bench *bench = *state;

    bench->settings.guard.min_on_ms = 5000;
    actuator_observe(bench->actuator, value_bool(false), 0, time_of(bench));
    bench->now_ms = 100;
    offer(bench, "{\"value\":true,\"id\":\"on\"}");
    assert_non_null(next(bench));
    offer(bench, "{\"value\":false,\"id\":\"off\"}"); /* is off still, as far as is known */
    done(bench, COMMAND_OK, NULL, value_bool(true));
    assert_said(bench, 1, "on", COMMAND_OK, "");
    assert_true(actuator_waiting(bench->actuator));
    assert_null(next(bench));
    assert_said(bench, 2, "off", COMMAND_REJECTED, "rate_limited");
    offer(bench, "{\"value\":false,\"id\":\"off 2\"}");
    assert_said(bench, 3, "off 2", COMMAND_REJECTED, "rate_limited");
    bench->now_ms = 5100;
    offer(bench, "{\"value\":false,\"id\":\"off 3\"}");
    assert_non_null(next(bench));
}

static void a_write_that_may_have_acted_counts_as_one(void **state)
{
    struct bench *bench = *state;

    bench->settings.guard.min_on_ms = 5000;
    actuator_observe(bench->actuator, value_bool(false), 0, time_of(bench));
    offer(bench, "true");
    assert_non_null(next(bench));
    done(bench, COMMAND_FAILED, "timeout", nothing);
    assert_true(actuator_may_be_on(bench->actuator));
    offer(bench, "false");
    assert_said(bench, 2, "", COMMAND_REJECTED, "rate_limited");
    actuator_observe(bench->actuator, value_bool(false), 10, time_of(bench));
    assert_false(actuator_may_be_on(bench->actuator));
}

static void tick(struct bench *bench, bool online)
{
    actuator_tick(bench->actuator, online, bench->now_ms, time_of(bench));
}

static void assert_state(const struct bench *bench, bool failsafe, const char *source)
{
    assert_int_equal(bench->states[bench->n_states - 1].failsafe, failsafe);
    assert_string_equal(bench->state_source[bench->n_states - 1], source);
}

static void fail_safe_goes_first_and_past_the_guard(void **state)
{
    struct bench *bench = *state;
    const struct value *value;

    bench->settings.safe = value_bool(false);
    bench->settings.guard.min_on_ms = 5000;
    actuator_observe(bench->actuator, value_bool(true), 0, time_of(bench));
    offer(bench, "{\"value\":true,\"id\":\"late\"}");
    actuator_force(bench->actuator, "broker_lost", 0, time_of(bench));
    assert_said(bench, 1, "late", COMMAND_SUPERSEDED, "");
    assert_state(bench, true, "failsafe:broker_lost");
    assert_true(bench->states[bench->n_states - 1].value.boolean); /* not written yet */
    tick(bench, true);
    offer(bench, "{\"value\":true,\"id\":\"against\"}");
    assert_said(bench, 2, "against", COMMAND_REJECTED, "interlock");
    value = next(bench);
    assert_true(value && value->type == VALUE_BOOL && !value->boolean);
    done(bench, COMMAND_OK, NULL, value_bool(false));
    assert_said(bench, 3, "", COMMAND_OK, "");
    assert_state(bench, true, "failsafe:broker_lost");
    assert_false(bench->states[bench->n_states - 1].value.boolean);
    tick(bench, true); /* done once is done */
    assert_true(actuator_settled(bench->actuator));

    offer(bench, "{\"value\":true,\"id\":\"new\",\"source\":\"operator\"}");
    assert_non_null(next(bench));
    done(bench, COMMAND_OK, NULL, value_bool(true));
    assert_state(bench, false, "operator");
}

static void fail_safe_is_tried_until_it_is_confirmed(void **state)
{
    struct bench *bench = *state;

    bench->settings.safe = value_bool(false);
    actuator_force(bench->actuator, "input_stale", 0, time_of(bench));
    tick(bench, false); /* the device is away */
    assert_null(next(bench));
    tick(bench, true);
    assert_non_null(next(bench));
    done(bench, COMMAND_FAILED, "timeout", nothing);
    assert_said(bench, 1, "", COMMAND_FAILED, "timeout");
    tick(bench, true);
    assert_null(next(bench));
    bench->now_ms = 1000;
    tick(bench, true);
    actuator_offline(bench->actuator, bench->now_ms, time_of(bench)); /* went away meanwhile */
    assert_false(actuator_settled(bench->actuator));
    tick(bench, true);
    assert_non_null(next(bench));
    done(bench, COMMAND_FAILED, "timeout", nothing);
    assert_int_equal(bench->n_results, 1); /* said once */
    bench->now_ms = 2000;
    tick(bench, true);
    assert_non_null(next(bench));
    done(bench, COMMAND_OK, NULL, value_bool(false));
    assert_said(bench, 2, "", COMMAND_OK, "");
}

static void holding_is_safe_too(void **state)
{
    struct bench *bench = *state;

    actuator_observe(bench->actuator, value_bool(true), 0, time_of(bench));
    actuator_force(bench->actuator, "controller_silent", 0, time_of(bench));
    tick(bench, true);
    assert_null(next(bench));
    assert_state(bench, true, "failsafe:controller_silent");
    assert_true(bench->states[bench->n_states - 1].value.boolean);
}

static void on_for_too_long_ends_by_itself(void **state)
{
    struct bench *bench = *state;

    bench->settings.safe = value_bool(false);
    bench->settings.guard.max_on_ms = 1000;
    actuator_observe(bench->actuator, value_bool(true), 0, time_of(bench));
    bench->now_ms = 999;
    tick(bench, true);
    assert_null(next(bench));
    bench->now_ms = 1000;
    tick(bench, true);
    assert_non_null(next(bench));
    done(bench, COMMAND_OK, NULL, value_bool(false));
    assert_state(bench, true, "failsafe:max_on");
    bench->now_ms = 9000;
    tick(bench, true);
    assert_null(next(bench));
}

static void a_dry_run_does_all_but_the_write(void **state)
{
    struct bench *bench = *state;

    bench->settings.dry_run = true;
    bench->settings.safe = value_bool(false);
    actuator_observe(bench->actuator, value_bool(true), 0, time_of(bench));
    assert_true(bench->states[0].dry_run);
    offer(bench, "{\"value\":false,\"id\":\"try\"}");
    assert_said(bench, 1, "try", COMMAND_OK, "");
    assert_true(bench->results[0].dry_run);
    assert_true(bench->results[0].value.boolean); /* what it holds, not what was asked */
    assert_null(next(bench));
    offer(bench, "{\"value\":7,\"id\":\"bad\"}");
    assert_said(bench, 2, "bad", COMMAND_REJECTED, "bad_value");
    offer(bench, "{\"value\":false,\"id\":\"try\"}");
    assert_said(bench, 3, "try", COMMAND_OK, "duplicate");
    assert_true(bench->results[2].dry_run);
    actuator_force(bench->actuator, "start", 0, time_of(bench));
    tick(bench, true);
    assert_null(next(bench));
}

static const char *forbid(void *self, const struct actuator *actuator, const char **why)
{
    (void)self;
    (void)actuator;
    *why = "the door is open";
    return "interlock";
}

static void an_interlock_never_keeps_it_from_rest(void **state)
{
    struct bench *bench = *state;
    const struct actuator_handlers locked = {
        .on_result = on_result, .on_state = on_state, .forbid = forbid};

    actuator_close(bench->actuator);
    assert_int_equal(actuator_open(&bench->actuator, &bench->settings, &locked, bench, 0), 0);
    offer(bench, "true");
    assert_said(bench, 1, "", COMMAND_REJECTED, "interlock");
    assert_string_equal(bench->results[0].message, "the door is open");
    offer(bench, "false");
    assert_non_null(next(bench));
    done(bench, COMMAND_OK, NULL, value_bool(false));
    bench->settings.safe = value_bool(true); /* a relief valve: open is safe */
    offer(bench, "true");
    assert_non_null(next(bench));
    done(bench, COMMAND_OK, NULL, value_bool(true));
    offer(bench, "false");
    assert_said(bench, 4, "", COMMAND_REJECTED, "interlock");
}

static void is_configured(void **state)
{
    struct config *config;
    struct actuator_settings settings;

    (void)state;
    assert_int_equal(
        config_open_text(&config, "test",
                         "{\"name\":\"speed\",\"type\":\"number\",\"unit\":\"units/h\","
                         "\"min\":0,\"max\":2000,\"safe\":0}"),
        0);
    actuator_configure(&settings, config_root(config));
    assert_true(config_check(config));
    assert_string_equal(settings.name, "speed");
    assert_int_equal(settings.type, ACTUATOR_NUMBER);
    assert_true(settings.min == 0 && settings.max == 2000 && settings.safe.number == 0);
    config_close(config);

    assert_int_equal(config_open_text(&config, "test", "{\"name\":\"fan\",\"safe\":\"off\"}"), 0);
    actuator_configure(&settings, config_root(config));
    assert_true(config_check(config));
    assert_true(settings.safe.type == VALUE_BOOL && !settings.safe.boolean);
    config_close(config);

    assert_int_equal(config_open_text(&config, "test", "{\"name\":\"fan\",\"safe\":7}"), 0);
    actuator_configure(&settings, config_root(config));
    assert_false(config_check(config));
    config_close(config);
}

static void a_result_says_what_was_what_was_wanted_and_what_is(void **state)
{
    struct bench *bench = *state;
    struct value on = value_bool(true), off = value_bool(false);

    actuator_observe(bench->actuator, off, bench->now_ms, time_of(bench));
    offer(bench, "ON");
    next(bench);
    done(bench, COMMAND_OK, NULL, on);
    assert_true(value_equal(&bench->results[0].previous, &off));
    assert_true(value_equal(&bench->results[0].wanted, &on));
    assert_true(value_equal(&bench->results[0].value, &on));
    offer(bench, "7");
    assert_true(bench->results[1].previous.type == VALUE_NONE); /* nothing was written */
    assert_true(bench->results[1].wanted.number == 7);
    assert_true(value_equal(&bench->results[1].value, &on));
    offer(bench, "{");
    assert_true(bench->results[2].wanted.type == VALUE_NONE);
}

static void no_two_results_have_the_same_time(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 3; i++)
        offer(bench, "maybe");
    assert_true(bench->results[1].ts_ms > bench->results[0].ts_ms);
    assert_true(bench->results[2].ts_ms > bench->results[1].ts_ms);
    actuator_offer(bench->actuator, &(struct actuator_request){.payload = "7", .size = 1}, true,
                   bench->now_ms, 1000); /* the clock was set back */
    assert_int_equal(bench->results[3].ts_ms, 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_command_is_written_confirmed_and_told),
        TEST(booleans_come_in_many_spellings),
        TEST(retained_commands_are_refused),
        TEST(bad_payloads_are_refused_with_a_sentence),
        TEST(bad_values_are_refused),
        TEST(limits_hold),
        TEST(a_repeated_id_gets_the_first_answer_and_writes_nothing),
        TEST(a_repeat_of_what_is_under_way_is_answered_when_that_ends),
        TEST(the_ledger_is_bounded_and_forgets_the_oldest),
        TEST(commands_without_id_are_never_duplicates),
        TEST(an_absent_device_takes_no_command),
        TEST(a_bare_command_lives_ten_seconds),
        TEST(ts_and_ttl_bound_a_life),
        TEST(message_expiry_bounds_a_life),
        TEST(a_newer_command_supersedes_one_still_queued),
        TEST(a_refused_command_supersedes_nothing),
        TEST(failures_carry_reason_message_and_truth),
        TEST(what_a_poll_finds_is_told_when_it_differs),
        TEST(texts_are_kept_as_copies),
        TEST(unknown_actuators_are_answered),
        TEST(the_guard_is_asked_at_arrival_and_before_the_write),
        TEST(a_write_that_may_have_acted_counts_as_one),
        TEST(fail_safe_goes_first_and_past_the_guard),
        TEST(fail_safe_is_tried_until_it_is_confirmed),
        TEST(holding_is_safe_too),
        TEST(on_for_too_long_ends_by_itself),
        TEST(a_dry_run_does_all_but_the_write),
        TEST(an_interlock_never_keeps_it_from_rest),
        TEST(a_result_says_what_was_what_was_wanted_and_what_is),
        TEST(no_two_results_have_the_same_time),
        TEST(is_configured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
