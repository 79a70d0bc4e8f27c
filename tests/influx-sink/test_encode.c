#include "encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SENSORS "iot/facility_a/greenhouse_001/telemetry/sensors"

static char error[256];

static int encode(struct lines *lines, const char *topic, const char *payload)
{
    return encode_message(lines, "iot", topic, payload, strlen(payload), error, sizeof(error));
}

static void check(const char *topic, const char *payload, const char *expected)
{
    struct lines lines = {0};

    if (encode(&lines, topic, payload) < 0)
        fail_msg("%s", error);
    assert_string_equal(buffer_string(&lines.text), expected);
    lines_free(&lines);
}

static void check_refused(const char *topic, const char *payload, int code, const char *words)
{
    struct lines lines = {0};

    assert_int_equal(encode(&lines, SENSORS, "{\"ts\":1,\"seq\":1,\"values\":{\"a\":1}}"), 1);
    assert_int_equal(encode(&lines, topic, payload), code);
    if (!strstr(error, words))
        fail_msg("'%s' is not in '%s'", words, error);
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
    check(
        "iot/facility_a/greenhouse_001/result/fan",
        "{\"id\":\"a1\",\"result\":\"ok\",\"reason\":null,\"value\":true,\"ts\":5,\"queued_ms\":3,"
        "\"took_ms\":12,\"source\":\"operator\"}",
        "command,actuator=fan,device_id=greenhouse_001,location=facility_a "
        "result=\"ok\",value=1,id=\"a1\",source=\"operator\",queued_ms=3,took_ms=12 5\n");
    check(
        "iot/facility_a/line_001/result/speed_setpoint",
        "{\"id\":null,\"result\":\"rejected\",\"reason\":\"bad_value\",\"value\":\"fast\",\"ts\":5,"
        "\"queued_ms\":0,\"took_ms\":0}",
        "command,actuator=speed_setpoint,device_id=line_001,location=facility_a "
        "result=\"rejected\",reason=\"bad_value\",text=\"fast\",queued_ms=0,took_ms=0 5\n");
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_readings),
        cmocka_unit_test(test_array_of_readings),
        cmocka_unit_test(test_nothing_to_store),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_alerts),
        cmocka_unit_test(test_health),
        cmocka_unit_test(test_ledger_in_health),
        cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_escapes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
