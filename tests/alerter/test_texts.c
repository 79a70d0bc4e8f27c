/* Texts for people and for services: templates, escapes, mail headers; and payloads that try to
 * break out of them. */
#include "channel_text.h"
#include "escape.h"
#include "jsonr.h"
#include "mail_headers.h"
#include "notification_json.h"
#include "notification_text.h"
#include "settings.h"
#include "signature.h"
#include "template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

/* What an attacker, or a careless sensor, may write. */
static const char *const hostile[] = {
    "\"}],\"text\":\"owned",
    "</td></tr></table><script>alert(1)</script>",
    "\" onmouseover=\"alert(1)",
    "' onload='x",
    "line\r\nBcc: victim@example.org\r\n\r\nbody",
    "=?UTF-8?B?T3duZWQ=?=",
    "`id` $(id) ; rm -rf / | cat & #",
    "<!channel> <@U123> <https://evil|click>",
    "@channel @all @here",
    "[click](javascript:alert(1)) ![x](http://evil/x.png) **bold** _it_ ~~no~~",
    "{heading} {each}{end} {{ }}",
    "\x01\x02\x1b[31mred\x7f",
    "\xf0\x9f\x94\xa5 \xe2\x80\xae text",
    "\\\\\\",
    "%s%n%d",
};

static struct notification *make(const char *message, enum item_state state, size_t n)
{
    struct notification *notification;

    assert_int_equal(notification_open(&notification, NOTIFICATION_NEWS, "hall", 1763805600000), 0);
    for (size_t i = 0; i < n; i++) {
        struct item item = {.state = state,
                            .severity = ALERT_WARNING,
                            .topic = {.kind = TOPIC_ALERT,
                                      .location = "hall",
                                      .device = "pump_1",
                                      .name = "too_hot"},
                            .episode = 7,
                            .since_ms = 1763805600000,
                            .value = value_number(81.5),
                            .message = (char *)message,
                            .by = state == ITEM_ACKNOWLEDGED ? (char *)"anna" : NULL};
        snprintf(item.topic.device, sizeof item.topic.device, "pump_%zu", i + 1);
        assert_int_equal(notification_add_item(notification, &item), 0);
    }
    notification_name(notification, 3);
    return notification;
}

static void check_template(const char *text, const struct notification *n, enum escape how,
                           const char *expected)
{
    struct template *template = NULL;
    struct buffer out = {0};
    char error[256] = "";

    if (template_open(&template, text, error, sizeof error) < 0)
        fail_msg("%s: %s", text, error);
    template_render(template, n, how, &out);
    assert_string_equal(buffer_string(&out), expected);
    template_close(template);
    buffer_free(&out);
}

static void test_templates(void **state)
{
    struct notification *one = make("81.5 bar", ITEM_FIRING, 1);
    struct notification *three = make("hot", ITEM_FIRING, 3);
    struct notification *taken = make("hot", ITEM_ACKNOWLEDGED, 1);
    struct notification *gone = make("hot", ITEM_REMOVED, 2);
    struct zone *berlin;

    (void)state;
    assert_int_equal(zone_open(&berlin, "Europe/Berlin"), 0);
    one->zone = berlin;
    check_template("plain {{braces}}", one, ESCAPE_NONE, "plain {braces}");
    check_template("{severity} {location}/{device} {rule}: {message} ({value}, {episode}) {since}",
                   one, ESCAPE_NONE,
                   "warning hall/pump_1 too_hot: 81.5 bar (81.5, 7) 2025-11-22 11:00 CET");
    check_template("{location}/{device} {message}", three, ESCAPE_NONE, "hall/ ");
    check_template("{plural:firing|one alert|# alerts}", one, ESCAPE_NONE, "one alert");
    check_template("{plural:firing|one alert|# alerts}", three, ESCAPE_NONE, "3 alerts");
    check_template("{plural:resolved|one|none of #}", three, ESCAPE_NONE, "none of 0");
    check_template("{each}<{device}>{end}", three, ESCAPE_NONE, "<pump_1><pump_2><pump_3>");
    check_template("{each:resolved}{device}{end}.", three, ESCAPE_NONE, ".");
    check_template("{if:resolved}r{end}{if:firing}f{if:by}b{end}{end}", three, ESCAPE_NONE, "f");
    check_template("{each}{state}{if:by} by {by}{end};{end}", taken, ESCAPE_NONE,
                   "acknowledged by anna;");
    check_template("{state}{kind}{group}{count}{shown}{more}", three, ESCAPE_NONE,
                   "firingnewshall330");
    check_template("{ack}", one, ESCAPE_NONE, "");
    one->root = three->root = taken->root = "plant/a";
    check_template("{ack}", one, ESCAPE_NONE, "plant/a/hall/pump_1/ack/too_hot");
    check_template("{ack}", three, ESCAPE_NONE, "plant/a/hall/DEVICE/ack/too_hot");
    check_template("{each}{ack} {end}", three, ESCAPE_NONE,
                   "plant/a/hall/pump_1/ack/too_hot plant/a/hall/pump_2/ack/too_hot "
                   "plant/a/hall/pump_3/ack/too_hot ");
    check_template("{if:ack}{ack}{end}.", taken, ESCAPE_NONE, ".");
    check_template("{plural:removed|one|#} {if:moved}{moved}{end}{stale}", gone, ESCAPE_NONE,
                   "2 0");
    check_template("{id}", one, ESCAPE_NONE, "hall/1763805600000/3");
    zone_close(berlin);
    notification_close(one);
    notification_close(three);
    notification_close(taken);
    notification_close(gone);
}

/* Whatever the length, what is cut is said so, and no character and no escape is cut in two. */
static void test_cuts(void **state)
{
    static const char *const units[] = {"é", "🔥", "<", "&", "*", "\\", "\"", "a"};
    struct channel_settings settings = {.type = CHANNEL_LOG};
    char error[256], message[400];

    (void)state;
    assert_int_equal(template_open(&settings.text, "{message}", error, sizeof error), 0);
    for (size_t i = 0; i < 8 * 3 * 60; i++) {
        const char *unit = units[i % 8];
        enum escape how = i / 8 % 3 == 0   ? ESCAPE_NONE
                          : i / 8 % 3 == 1 ? ESCAPE_SLACK
                                           : ESCAPE_MARKDOWN;
        size_t max = 20 + i / 24, step;
        struct notification *one;
        struct buffer out = {0}, escaped = {0};

        *message = '\0';
        for (int n = 0; n < 90; n++)
            strcat(message, unit);
        one = make(message, ITEM_FIRING, 1);
        escape_text(how, unit, &escaped);
        channel_text(&settings, one, how, max, &out);
        step = escaped.size;
        assert_true(out.size <= max + strlen("… (cut)"));
        assert_string_equal(out.data + max / step * step, "… (cut)");
        buffer_free(&out);
        buffer_free(&escaped);
        notification_close(one);
    }
    template_close(settings.text);
}

static void test_bad_templates(void **state)
{
    static const char *const bad[][2] = {
        {"{", "byte 1"},
        {"}", "byte 1"},
        {"a {nothing}", "no field \"nothing\", at byte 4"},
        {"{each}", "{end} is missing"},
        {"{end}", "{end} of nothing"},
        {"{each}{each}{end}{end}", "within {each}"},
        {"{each:burning}{end}", "no state"},
        {"{plural:firing|a}", "plural:field|one|many"},
        {"{plural:message|a|b}", "no count"},
        {"{if:nobody}{end}", "no field"},
        {"{if:by}{if:by}{if:by}{if:by}{if:by}{if:by}{if:by}{if:by}{if:by}", "within each other"},
        {"{a{b}}", "byte 1"},
    };
    char *longest = malloc(TEMPLATE_SIZE_MAX + 2);
    struct template *template;
    char error[256];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(template_open(&template, bad[i][0], error, sizeof error), -EINVAL);
        if (!strstr(error, bad[i][1]))
            fail_msg("%s: %s", bad[i][0], error);
    }
    memset(longest, 'a', TEMPLATE_SIZE_MAX + 1);
    longest[TEMPLATE_SIZE_MAX + 1] = '\0';
    assert_int_equal(template_open(&template, longest, error, sizeof error), -EINVAL);
    free(longest);
}

static void test_a_text_is_bounded(void **state)
{
    char *message = malloc(BOOK_MESSAGE_MAX + 1);
    struct notification *n;
    struct template *template;
    struct buffer text = {0}, out = {0};
    char error[256];

    (void)state;
    memset(message, 'x', BOOK_MESSAGE_MAX);
    message[BOOK_MESSAGE_MAX] = '\0';
    n = make(message, ITEM_FIRING, NOTIFICATION_ALERTS_MAX);
    for (int i = 0; i < 500; i++)
        buffer_text(&text, "{each}{message}{end}");
    assert_int_equal(template_open(&template, text.data, error, sizeof error), 0);
    template_render(template, n, ESCAPE_NONE, &out);
    assert_in_range(out.size, TEMPLATE_RESULT_MAX, TEMPLATE_RESULT_MAX + BOOK_MESSAGE_MAX + 8);
    template_close(template);
    notification_close(n);
    buffer_free(&text);
    buffer_free(&out);
    free(message);
}

/* ---- hostile payloads ---- */

static void test_html(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct buffer out = {0};

        escape_text(ESCAPE_HTML, hostile[i], &out);
        assert_null(strpbrk(buffer_string(&out), "<>\"'"));
        buffer_free(&out);
    }
}

static void test_markdown_and_slack(void **state)
{
    struct buffer out = {0};

    (void)state;
    escape_text(ESCAPE_MARKDOWN, "@all [x](y) *b* `c` <d>", &out);
    assert_string_equal(out.data, "@\xe2\x80\x8b"
                                  "all \\[x\\]\\(y\\) \\*b\\* \\`c\\` \\<d\\>");
    buffer_clear(&out);
    escape_text(ESCAPE_SLACK, "<!channel> & \"x\"", &out);
    assert_string_equal(out.data, "&lt;!channel&gt; &amp; \"x\"");
    buffer_free(&out);
}

static struct config *config;
static struct settings *settings;

static void read_settings(const char *channel)
{
    struct buffer text = {0};
    void *out;

    buffer_format(&text, "{\"channels\":{\"a\":{%s}},\"route\":{\"channels\":[\"a\"]}}", channel);
    assert_int_equal(config_open_text(&config, "test", text.data), 0);
    assert_int_equal(settings_configure(&out, config_root(config)), 0);
    settings = out;
    if (!config_check(config)) {
        config_report(config, stderr);
        fail_msg("refused: %s", text.data);
    }
    buffer_free(&text);
}

static void discard(void)
{
    settings_discard(settings);
    config_close(config);
}

/* What went into a text of the document comes out of it again, and the document has its members. */
static void check_document(const char *body, size_t size, const char *member)
{
    char error[256];
    struct json_object *tree, *found;

    if (jsonr_parse(&tree, body, size, error, sizeof error) < 0)
        fail_msg("%s in %s", error, body);
    assert_true(json_object_object_get_ex(tree, member, &found));
    jsonr_free(tree);
}

static void check_bodies(const char *channel, const char *member, int n_members)
{
    read_settings(channel);
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct notification *n = make(hostile[i], ITEM_FIRING, 2);
        struct buffer body = {0};
        char error[256];
        struct json_object *tree;

        assert_int_equal(channel_body(&settings->channels[0], n, &body), 0);
        check_document(body.data, body.size, member);
        assert_int_equal(jsonr_parse(&tree, body.data, body.size, error, sizeof error), 0);
        assert_int_equal(json_object_object_length(tree), n_members);
        jsonr_free(tree);
        buffer_free(&body);
        notification_close(n);
    }
    discard();
}

static void test_bodies(void **state)
{
    FILE *token = fopen("/tmp/test_texts.token", "w");

    (void)state;
    assert_non_null(token);
    fputs("12:Ab-c\n", token);
    fclose(token);
    check_bodies("\"type\":\"webhook\",\"url\":\"http://h/\"", "alerts", 14);
    check_bodies(
        "\"type\":\"webhook\",\"url\":\"http://h/\",\"body\":{\"t\":\"{text}\",\"n\":1,\"o\":{"
        "\"list\":[\"{message}\",{\"x\":\"{each}{message}{end}\"}]}}",
        "o", 3);
    check_bodies("\"type\":\"slack\",\"url\":\"http://h/\"", "text", 1);
    check_bodies("\"type\":\"mattermost\",\"url\":\"http://h/\"", "text", 1);
    check_bodies("\"type\":\"teams\",\"url\":\"http://h/\"", "attachments", 2);
    check_bodies("\"type\":\"telegram\",\"chat\":\"-1\",\"token_file\":\"/tmp/test_texts.token\"",
                 "chat_id", 3);
    check_bodies("\"type\":\"ntfy\",\"topic\":\"t\"", "priority", 4);
    check_bodies(
        "\"type\":\"gotify\",\"url\":\"http://h/\",\"token_file\":\"/tmp/test_texts.token\"",
        "priority", 3);
    remove("/tmp/test_texts.token");
}

/* Each line is one header of ours, in printable ASCII. */
static void test_mail_headers(void **state)
{
    static const char *const ours[] = {
        "From: ", "To: ", "Subject: ", "Date: ", "Message-ID: ", "Auto-Submitted: auto-generated"};

    (void)state;
    read_settings("\"type\":\"mail\",\"url\":\"smtp://h\",\"from\":\"a@b.c\",\"to\":[\"x@y.z\",\"q@"
                  "r.s\"],\"subject\":\"{message}\\r\\nX: y\"");
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        struct notification *n = make(hostile[i], ITEM_FIRING, 1);
        struct buffer out = {0};
        size_t line = 0;

        mail_headers_write(&settings->channels[0], n, &out);
        for (char *rest = out.data, *at; (at = strsep(&rest, "\n")) && *at; line++) {
            assert_true(line < sizeof ours / sizeof *ours);
            assert_memory_equal(at, ours[line], strlen(ours[line]));
            for (const char *c = at; *c; c++)
                assert_in_range((unsigned char)*c, 0x20, 0x7e);
        }
        assert_int_equal(line, sizeof ours / sizeof *ours);
        buffer_free(&out);
        notification_close(n);
    }
    discard();
}

static void test_encoded_words(void **state)
{
    struct buffer out = {0};

    (void)state;
    mail_headers_words("plain", &out);
    assert_string_equal(out.data, "plain");
    buffer_clear(&out);
    mail_headers_words("=?UTF-8?B?T3duZWQ=?=", &out); /* no word of ours: encoded once more */
    assert_string_equal(out.data, "=?UTF-8?B?PT9VVEYtOD9CP1QzZHVaV1E9Pz0=?=");
    buffer_clear(&out);
    mail_headers_words("W\xc3\xa4rme", &out);
    assert_string_equal(out.data, "=?UTF-8?B?V8Okcm1l?=");
    buffer_clear(&out);
    for (int i = 0; i < 30; i++)
        buffer_text(&out, "\xc3\xa4");
    char *text = strdup(out.data);
    buffer_clear(&out);
    mail_headers_words(text, &out); /* 60 bytes: no word is longer than 75, none cuts a character */
    for (char *rest = out.data, *word; (word = strsep(&rest, " "));)
        assert_true(strlen(word) <= 75);
    free(text);
    buffer_free(&out);
}

/* RFC 4231, test case 2. */
static void test_signature(void **state)
{
    char signature[SIGNATURE_SIZE];

    (void)state;
    assert_int_equal(signature_make(signature, "Jefe", "what do ya want for nothing?", 28), 0);
    assert_string_equal(signature,
                        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

#define SINCE ", since 2025-11-22 10:00 UTC"
#define HOW " -m '{\"by\":\"YOUR NAME\"}'"

/* What, where, since when, and what to do where somebody is to do something. */
static void test_whole_texts(void **state)
{
    static const struct {
        enum item_state state;
        size_t n;
        const char *text;
    } cases[] = {
        {ITEM_FIRING, 1,
         "firing: warning hall/pump_1 too_hot: hot" SINCE
         "\nacknowledge: mosquitto_pub -t iot/hall/pump_1/ack/too_hot" HOW},
        {ITEM_STALE, 2,
         "hall: 2 stale\nacknowledge each: mosquitto_pub -t iot/hall/DEVICE/ack/too_hot" HOW
         "\n- stale: warning hall/pump_1 too_hot: hot (data is missing, not resolved)" SINCE
         "\n- stale: warning hall/pump_2 too_hot: hot (data is missing, not resolved)" SINCE},
        {ITEM_RESOLVED, 1, "resolved: warning hall/pump_1 too_hot: hot" SINCE},
        {ITEM_REMOVED, 1, "removed: warning hall/pump_1 too_hot: hot (taken away, not resolved)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notification *n = make("hot", cases[i].state, cases[i].n);
        struct buffer out = {0};

        n->root = "iot";
        notification_text(n, &out);
        assert_string_equal(buffer_string(&out), cases[i].text);
        buffer_free(&out);
        notification_close(n);
    }
}

/* A phone rings, and a mail is important, only where somebody is to look. */
static void test_what_rings(void **state)
{
    (void)state;
    read_settings("\"type\":\"mail\",\"url\":\"smtp://h\",\"from\":\"a@b.c\",\"to\":[\"x@y.z\"]");
    for (int i = 0; i < ITEM_STATES; i++) {
        bool rings = i == ITEM_FIRING || i == ITEM_STALE || i == ITEM_FLAPPING;
        const struct channel_settings ntfy = {.type = CHANNEL_NTFY, .http.target = "t"};
        struct notification *n = make("hot", (enum item_state)i, 1);
        struct buffer body = {0}, headers = {0};

        n->severity = ALERT_CRITICAL;
        assert_int_equal(channel_body(&ntfy, n, &body), 0);
        mail_headers_write(&settings->channels[0], n, &headers);
        assert_non_null(strstr(body.data, rings ? "\"priority\":5" : "\"priority\":2"));
        assert_int_equal(strstr(headers.data, "Importance: high") != NULL, rings);
        buffer_free(&body);
        buffer_free(&headers);
        notification_close(n);
    }
    discard();
}

static void test_headings(void **state)
{
    static const struct {
        enum notification_kind kind;
        enum item_state state;
        size_t n;
        const char *heading;
    } cases[] = {
        {NOTIFICATION_NEWS, ITEM_FIRING, 1, "firing: warning hall/pump_1 too_hot: hot"},
        {NOTIFICATION_NEWS, ITEM_STALE, 1,
         "stale: warning hall/pump_1 too_hot: hot (data is missing, not resolved)"},
        {NOTIFICATION_NEWS, ITEM_ACKNOWLEDGED, 1,
         "acknowledged by anna: warning hall/pump_1 too_hot: hot"},
        {NOTIFICATION_REPEAT, ITEM_FIRING, 1, "still firing: warning hall/pump_1 too_hot: hot"},
        {NOTIFICATION_ESCALATION, ITEM_FIRING, 2, "hall: nobody has acknowledged: 2 firing"},
        {NOTIFICATION_NEWS, ITEM_RESOLVED, 3, "hall: 3 resolved"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct notification *n = make("hot", cases[i].state, cases[i].n);
        struct buffer out = {0};

        n->kind = cases[i].kind;
        notification_heading(n, &out);
        assert_string_equal(buffer_string(&out), cases[i].heading);
        buffer_free(&out);
        notification_close(n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_templates),     cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_bad_templates), cmocka_unit_test(test_a_text_is_bounded),
        cmocka_unit_test(test_html),          cmocka_unit_test(test_markdown_and_slack),
        cmocka_unit_test(test_bodies),        cmocka_unit_test(test_mail_headers),
        cmocka_unit_test(test_encoded_words), cmocka_unit_test(test_signature),
        cmocka_unit_test(test_headings),      cmocka_unit_test(test_whole_texts),
        cmocka_unit_test(test_what_rings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
