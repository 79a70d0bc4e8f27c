#include "encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SENSORS "iot/facility_a/greenhouse_001/telemetry/sensors"

#define AT "sensors,device_id=greenhouse_001,location=facility_a "
#define VALUES(members) "{\"ts\":1,\"seq\":1,\"values\":{" members "}}"
#define DAY_MS INT64_C(86400000)

static struct encode_notes notes;
static struct mapping mapping;
static struct field_types *types;
static struct encoder encoder;

static int set_up(void **state)
{
    (void)state;
    mapping = (struct mapping){0};
    encoder = (struct encoder){.root = "iot", .mapping = &mapping};
    assert_int_equal(field_types_open(&types, 100), 0);
    encoder.types = types;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    field_types_close(types);
    return 0;
}

static int encode_at(struct lines *lines, const char *topic, const char *payload,
                     int64_t received_ms)
{
    struct message message = {.topic = topic,
                              .topic_length = strlen(topic),
                              .payload = payload,
                              .size = strlen(payload),
                              .received_ms = received_ms};

    return encode_message(&encoder, &message, lines, &notes);
}

static int encode(struct lines *lines, const char *topic, const char *payload)
{
    return encode_at(lines, topic, payload, 0);
}

static void check(const char *topic, const char *payload, const char *expected)
{
    struct lines lines = {0};

    if (encode(&lines, topic, payload) < 0)
        fail_msg("%s", notes.detail);
    assert_string_equal(buffer_string(&lines.text), expected);
    lines_free(&lines);
}

static void check_refused(const char *topic, const char *payload, int code, const char *words)
{
    struct lines lines = {0};

    assert_int_equal(encode(&lines, SENSORS, "{\"ts\":1,\"seq\":1,\"values\":{\"a\":1}}"), 1);
    assert_int_equal(encode(&lines, topic, payload), code);
    if (!strstr(notes.detail, words))
        fail_msg("'%s' is not in '%s'", words, notes.detail);
    assert_int_equal(lines.n, 1); /* what was there before stays, and nothing else */
    assert_string_equal(buffer_string(&lines.text),
                        "sensors,device_id=greenhouse_001,location=facility_a a=1 1\n");
    assert_int_equal(encode(&lines, SENSORS, "{\"ts\":2,\"seq\":2,\"values\":{\"a\":2}}"), 1);
    assert_int_equal(lines.n, 2);
    lines_free(&lines);
}

static void test_readings(void **state)
{
    (void)state;
    check(SENSORS,
          "{\"ts\":1763805600123,\"seq\":42,\"values\":{\"temperature\":23.45,\"humidity\":61,"
          "\"fan\":true,\"led\":false,\"mode\":\"auto\"},\"bad\":{\"pressure\":\"out_of_range\"}}",
          "sensors,device_id=greenhouse_001,location=facility_a "
          "temperature=23.45,humidity=61,fan=true,led=false,mode=\"auto\" 1763805600123\n");
    check(SENSORS, "{\"ts\":1,\"seq\":1,\"values\":{\"a\":1e21,\"b\":-0.1,\"c\":1e-7}}",
          "sensors,device_id=greenhouse_001,location=facility_a a=1e21,b=-0.1,c=1e-7 1\n");
}

static void test_array_of_readings(void **state)
{
    struct lines lines = {0};
    size_t size;

    (void)state;
    assert_int_equal(encode(&lines, SENSORS,
                            "[{\"ts\":1,\"seq\":1,\"values\":{\"a\":1}},"
                            "{\"ts\":2,\"seq\":2,\"values\":{},\"bad\":{\"a\":\"timeout\"}},"
                            "{\"ts\":3,\"seq\":3,\"values\":{\"a\":3}}]"),
                     2); /* a reading without a good value is no point */
    assert_string_equal(lines_range(&lines, 1, 2, &size),
                        "sensors,device_id=greenhouse_001,location=facility_a a=3 3\n");
    assert_int_equal(size, strlen("sensors,device_id=greenhouse_001,location=facility_a a=3 3\n"));
    lines_free(&lines);
}

/* Readings without a point, and faults, are no pattern for those after them. */
static void test_array_with_holes(void **state)
{
    struct lines lines = {0};

    (void)state;
    encoder.future_ms = DAY_MS;
    assert_int_equal(encode_at(&lines, SENSORS,
                               "[{\"ts\":1,\"seq\":1,\"values\":{}},"
                               "{\"ts\":2,\"seq\":2,\"values\":{\"a\":2,\"b\":true}},"
                               "{\"ts\":3,\"seq\":3,\"values\":{}},"
                               "{\"ts\":4,\"seq\":4,\"values\":{\"a\":4}},"
                               "{\"ts\":999999999,\"seq\":5,\"values\":{\"a\":5}},"
                               "{\"ts\":6,\"seq\":6,\"values\":{\"b\":false}},"
                               "{\"ts\":7,\"seq\":7,\"values\":{\"a\":7}}]",
                               0),
                     4);
    assert_string_equal(buffer_string(&lines.text),
                        AT "a=2,b=true 2\n" AT "a=4 4\n" AT "b=false 6\n" AT "a=7 7\n");
    assert_int_equal(notes.n_faults, 1);
    lines_free(&lines);
}

/* What was found out of a field in one reading holds for the next ones as far as it is the same. */
static void test_array_of_changing_readings(void **state)
{
    struct mapping_rule rename = {.filter = "#", .fields = {{"c", "c d"}}, .n_fields = 1};

    (void)state;
    mapping.rules[0] = rename;
    mapping.n_rules = 1;
    mapping.integers[0] = "sensors/i";
    mapping.n_integers = 1;
    check(SENSORS,
          "[{\"ts\":1,\"seq\":1,\"values\":{\"a\":1,\"i\":2,\"c\":3.5}},"
          "{\"ts\":2,\"seq\":2,\"values\":{\"a\":true,\"i\":2.5,\"c\":4}},"
          "{\"ts\":3,\"seq\":3,\"values\":{\"a\":5,\"c\":6,\"i\":7}},"
          "{\"ts\":4,\"seq\":4,\"values\":{\"c\":8,\"a\":9}},"
          "{\"ts\":5,\"seq\":5,\"values\":{\"c\":1e1,\"a\":9}}]",
          AT "a=1,i=2i,c\\ d=3.5 1\n" AT "a=1,i=2i,c\\ d=4 2\n" AT "a=5,c\\ d=6,i=7i 3\n" AT
             "c\\ d=8,a=9 4\n" AT "c\\ d=10,a=9 5\n");
    check(SENSORS,
          "[{\"ts\":1,\"seq\":1,\"values\":{\"a\":1,\"i\":2,\"c\":3.5}},"
          "{\"ts\":2,\"seq\":2,\"values\":{\"a\":true,\"i\":2.5,\"c\":4}},"
          "{\"ts\":3,\"seq\":3,\"values\":{\"a\":5,\"c\":6,\"i\":7}}]",
          AT "a=1,i=2i,c\\ d=3.5 1\n" AT "a=1,i=2i,c\\ d=4 2\n" AT "a=5,c\\ d=6,i=7i 3\n");
}

static void test_nothing_to_store(void **state)
{
    (void)state;
    check(SENSORS, "", ""); /* a retained message was taken away */
    check(SENSORS, "{\"ts\":1,\"seq\":1,\"values\":{},\"bad\":{\"a\":\"timeout\"}}", "");
}

static void test_texts(void **state)
{
    (void)state;
    check(SENSORS,
          "{\"ts\":1,\"seq\":1,\"values\":{\"a\":\"say \\\"x\\\" \\\\ a,b=c\\nd\\u00b0\\\\\"}}",
          "sensors,device_id=greenhouse_001,location=facility_a "
          "a=\"say \\\"x\\\" \\\\ a,b=c d\xc2\xb0\\\\\" 1\n");
}

static void test_results(void **state)
{
    (void)state;
    check("iot/facility_a/greenhouse_001/result/fan",
          "{\"id\":\"a1\",\"result\":\"ok\",\"reason\":null,\"value\":true,\"previous\":false,"
          "\"wanted\":true,\"ts\":5,\"queued_ms\":3,\"took_ms\":12,\"source\":\"operator\"}",
          "command,actuator=fan,device_id=greenhouse_001,location=facility_a "
          "result=\"ok\",value=1,previous=0,wanted=1,id=\"a1\",source=\"operator\",queued_ms=3,"
          "took_ms=12 5\n");
    check("iot/facility_a/line_001/result/speed_setpoint",
          "{\"id\":null,\"result\":\"rejected\",\"reason\":\"bad_value\",\"value\":\"fast\","
          "\"wanted\":\"slow\",\"ts\":5,\"queued_ms\":0,\"took_ms\":0}",
          "command,actuator=speed_setpoint,device_id=line_001,location=facility_a "
          "result=\"rejected\",reason=\"bad_value\",text=\"fast\",wanted_text=\"slow\",queued_ms=0,"
          "took_ms=0 "
          "5\n");
}

/* It carries the first result again, with its time, but is a command of its own. */
static void test_a_duplicate_does_not_replace_the_first(void **state)
{
    struct lines lines = {0};

    (void)state;
    assert_int_equal(
        encode_at(&lines, "iot/facility_a/greenhouse_001/result/fan",
                  "{\"id\":\"a1\",\"result\":\"ok\",\"reason\":\"duplicate\",\"ts\":5}", 99),
        1);
    assert_non_null(strstr(buffer_string(&lines.text), "reason=\"duplicate\""));
    assert_non_null(strstr(buffer_string(&lines.text), " 99\n"));
    lines_free(&lines);
}

static void test_alerts(void **state)
{
    (void)state;
    check("iot/facility_a/line_001/alert/low_efficiency",
          "{\"state\":\"firing\",\"severity\":\"warning\",\"since\":9,\"value\":0.81,"
          "\"message\":\"efficiency 81.00 %\",\"rule\":\"low_efficiency\",\"episode\":7,"
          "\"cause\":{\"measurement\":\"equipment_status\",\"ts\":8,\"seq\":1,\"values\":{"
          "\"efficiency\":0.81}}}",
          "alert,device_id=line_001,location=facility_a,rule=low_efficiency state=\"firing\","
          "severity=\"warning\",value=0.81,message=\"efficiency 81.00 %\",episode=7 9\n");
}

static void test_ledger_in_health(void **state)
{
    (void)state;
    check("iot/_service/influx-sink/health",
          "{\"ts\":7,\"session\":3,\"series\":[{\"location\":\"a\",\"device\":\"b\","
          "\"measurement\":\"c\",\"received\":10,\"duplicate\":1,\"missing\":2,\"late\":3,"
          "\"restarts\":4}]}",
          "health,device_id=influx-sink,location=_service session=3,uptime_ms=0,rss_bytes=0 7\n"
          "health,device_id=b,location=a,telemetry=c "
          "received=10,duplicate=1,missing=2,late=3,restarts=4 7\n");
    check("iot/_service/influx-sink/health",
          "{\"ts\":7,\"series\":[{\"location\":\"a\",\"device\":\"b\",\"measurement\":\"c\","
          "\"received\":10,\"duplicate\":1,\"missing\":2,\"late\":3,\"restarts\":4,"
          "\"stored\":8,\"dead\":2}]}",
          "health,device_id=influx-sink,location=_service session=0,uptime_ms=0,rss_bytes=0 7\n"
          "health,device_id=b,location=a,telemetry=c "
          "received=10,duplicate=1,missing=2,late=3,restarts=4,stored=8,dead=2 7\n");
    check_refused("iot/_service/influx-sink/health",
                  "{\"ts\":7,\"series\":[{\"location\":\"a b\",\"device\":\"b\","
                  "\"measurement\":\"c\"}]}",
                  -EBADMSG, "series.location");
}

static void test_health(void **state)
{
    (void)state;
    check("iot/_service/modbus-agent/health",
          "{\"ts\":7,\"session\":3,\"uptime_ms\":10,\"rss_bytes\":4096,\"counters\":{\"dead."
          "refused\":2},"
          "\"gauges\":{\"x\":0.5,\"y\":null},\"breakers\":{\"bus\":\"open\"},\"last_error\":null}",
          "health,device_id=modbus-agent,location=_service session=3,uptime_ms=10,rss_bytes=4096,"
          "counters.dead.refused=2,gauges.x=0.5,breakers.bus=\"open\" 7\n");
}

static void test_what_cannot_be_read(void **state)
{
    (void)state;
    check_refused(SENSORS, "{\"ts\":1,", -EBADMSG, "ends too early");
    check_refused(SENSORS, "23.5", -EBADMSG, "");
    check_refused(SENSORS, "{\"ts\":1,\"seq\":1,\"values\":{\"a\":NaN}}", -EBADMSG, "");
    check_refused(SENSORS, "{\"ts\":1,\"seq\":1,\"values\":{\"a b\":1}}", -EBADMSG, "a b");
    check_refused(SENSORS,
                  "[{\"ts\":1,\"seq\":1,\"values\":{\"a\":1}},{\"ts\":2,\"seq\":2,\"values\":7}]",
                  -EBADMSG, "");
    check_refused("iot/facility_a/line_001/result/fan", "{\"ts\":1}", -EBADMSG, "result");
    check_refused("iot/facility_a/line_001/alert/low", "[]", -EBADMSG, "");
    check_refused("iot/_service/x/health", "{\"session\":1}", -EBADMSG, "ts");
    check_refused("iot/facility_a/line_001/status", "{}", -ENOENT, "not stored");
    check_refused("other/facility_a/line_001/telemetry/x", "{}", -ENOENT, "none of the suite's");
}

/* Names of the suite need no escape; the writer does it all the same for what configuration adds.
 */
static void test_escapes(void **state)
{
    struct lines lines = {0};
    struct value text = value_text("a\"b\\c");

    (void)state;
    lines_begin(&lines, "my measure,ment");
    lines_tag(&lines, "a key=x", "v, w=\\");
    lines_tag(&lines, "left out", "");
    lines_field(&lines, "f=1, 2", &text);
    assert_true(lines_end(&lines, -5));
    assert_string_equal(
        buffer_string(&lines.text),
        "my\\ measure\\,ment,a\\ key\\=x=v\\,\\ w\\=\\_ f\\=1\\,\\ 2=\"a\\\"b\\\\c\" -5\n");
    lines_free(&lines);
}

static void test_integers_by_pattern(void **state)
{
    (void)state;
    mapping.integers[0] = "sensors/n_*";
    mapping.integers[1] = "command/*";
    mapping.n_integers = 2;
    check(SENSORS, VALUES("\"n_jams\":3,\"n\":3"), AT "n_jams=3i,n=3 1\n");
    check(SENSORS, VALUES("\"n_jams\":true"), AT "n_jams=1i 1\n");
    assert_int_equal(notes.coerced, 1);
    check(SENSORS, VALUES("\"n_jams\":2.5"), AT "n_jams=2i 1\n");
    assert_int_equal(notes.rounded, 1);
    check(SENSORS, VALUES("\"n_jams\":-9007199254740992.0"), AT "n_jams=-9007199254740992i 1\n");
}

static void test_values_take_the_type_of_their_field(void **state)
{
    (void)state;
    check(SENSORS, VALUES("\"a\":1.5,\"b\":true,\"c\":\"x\""), AT "a=1.5,b=true,c=\"x\" 1\n");
    check(SENSORS, VALUES("\"a\":true"), AT "a=1 1\n");
    assert_int_equal(notes.coerced, 1);
    field_types_set(types, "sensors", "i", FIELD_INTEGER); /* the store has it so */
    check(SENSORS, VALUES("\"i\":7"), AT "i=7i 1\n");
    assert_int_equal(notes.n_faults, 0);
}

/* What does not fit is left out and told; the rest of the message is stored. */
static void test_type_conflict(void **state)
{
    static const char *const unfit[] = {"\"a\":\"x\"", "\"b\":1",    "\"b\":\"x\"",
                                        "\"c\":1",     "\"c\":true", "\"i\":1e19"};

    (void)state;
    check(SENSORS, VALUES("\"a\":1.5,\"b\":true,\"c\":\"x\""), AT "a=1.5,b=true,c=\"x\" 1\n");
    field_types_set(types, "sensors", "i", FIELD_INTEGER);
    for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
        char payload[128];

        snprintf(payload, sizeof(payload), VALUES("%s,\"d\":2"), unfit[i]);
        check(SENSORS, payload, AT "d=2 1\n");
        assert_int_equal(notes.n_faults, 1);
        assert_string_equal(notes.reason, "type_conflict");
        assert_non_null(strstr(notes.detail, "of \"sensors\" is of type"));
    }
    check(SENSORS, VALUES("\"a\":\"x\""), ""); /* nothing is left */
    assert_int_equal(notes.n_faults, 1);
}

static void test_window(void **state)
{
    struct lines lines = {0};

    (void)state;
    encoder.past_ms = 2 * DAY_MS;
    encoder.future_ms = DAY_MS;
    assert_int_equal(encode_at(&lines, SENSORS,
                               "[{\"ts\":863999999,\"seq\":1,\"values\":{\"a\":1}},"
                               "{\"ts\":864000000,\"seq\":2,\"values\":{\"a\":2}},"
                               "{\"ts\":1123200000,\"seq\":3,\"values\":{\"a\":3}},"
                               "{\"ts\":1123200001,\"seq\":4,\"values\":{\"a\":4}}]",
                               12 * DAY_MS),
                     2);
    assert_string_equal(buffer_string(&lines.text), AT "a=2 864000000\n" AT "a=3 1123200000\n");
    assert_int_equal(notes.n_faults, 2);
    assert_string_equal(notes.reason, "out_of_window");
    assert_non_null(strstr(notes.detail, "ts 863999999 is 172800 s before the message came"));
    assert_int_equal(encode_at(&lines, "iot/_service/x/health", "{\"ts\":1}", 12 * DAY_MS), 0);
    assert_int_equal(notes.n_faults, 1);
    encoder.past_ms = encoder.future_ms = 0; /* any time */
    assert_int_equal(encode_at(&lines, SENSORS, VALUES("\"a\":1"), 12 * DAY_MS), 1);
    lines_free(&lines);
}

static void test_tags_and_names_by_topic(void **state)
{
    (void)state;
    mapping.n_rules = 3;
    mapping.rules[0] = (struct mapping_rule){
        .filter = "facility_a/#", .tags = {{"area", "north"}, {"zone", "a b"}}, .n_tags = 2};
    mapping.rules[1] = (struct mapping_rule){.filter = "+/greenhouse_001/telemetry/sensors",
                                             .measurement = "climate",
                                             .tags = {{"e", "5"}, {"area", "south"}},
                                             .n_tags = 2,
                                             .fields = {{"temp", "temperature"}},
                                             .n_fields = 1};
    mapping.rules[2] = (struct mapping_rule){.filter = "facility_b/#", .measurement = "never"};
    mapping.integers[0] = "climate/temperature"; /* by the names that are stored */
    mapping.n_integers = 1;
    check(SENSORS, VALUES("\"temp\":20,\"hum\":61"),
          "climate,area=south,device_id=greenhouse_001,e=5,location=facility_a,zone=a\\ b "
          "temperature=20i,hum=61 1\n");
    check("iot/facility_a/line_001/result/fan", "{\"result\":\"ok\",\"ts\":5}",
          "command,actuator=fan,area=north,device_id=line_001,location=facility_a,zone=a\\ b "
          "result=\"ok\",queued_ms=0,took_ms=0 5\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_readings),
        TEST(test_array_of_readings),
        TEST(test_array_with_holes),
        TEST(test_array_of_changing_readings),
        TEST(test_nothing_to_store),
        TEST(test_texts),
        TEST(test_results),
        TEST(test_a_duplicate_does_not_replace_the_first),
        TEST(test_alerts),
        TEST(test_health),
        TEST(test_ledger_in_health),
        TEST(test_what_cannot_be_read),
        TEST(test_escapes),
        TEST(test_integers_by_pattern),
        TEST(test_values_take_the_type_of_their_field),
        TEST(test_type_conflict),
        TEST(test_window),
        TEST(test_tags_and_names_by_topic),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
