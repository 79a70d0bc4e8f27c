#include "buffer.h"
#include "config.h"
#include "config_file.h"
#include "config_tree.h"
#include "config_units.h"
#include "topic.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_MAX 65536 /* bytes of a secret's file */
#define MASK "***"
#define EXACT_INTEGER 9007199254740992.0 /* 2^53: beyond it a double skips whole numbers */

static struct config_slot at_key(struct config_node *node, const char *key)
{
    return (struct config_slot){.node = node, .key = key};
}

static void record_text(struct config_slot slot, const char *text)
{
    struct value none = {.type = VALUE_NONE};
    config_slot_record(slot, text ? value_text(text) : none);
}

/* ---- texts ---- */

static const char *take_string(struct config_slot slot, bool required, const char *fallback)
{
    const struct config_want want = {VALUE_TEXT, "a string", required};
    struct value value = config_slot_take(slot, &want);
    return value.type == VALUE_TEXT ? value.text : fallback;
}

const char *config_string(struct config_node *node, const char *key, const char *fallback)
{
    const char *text = take_string(at_key(node, key), false, fallback);
    record_text(at_key(node, key), text);
    return text;
}

const char *config_require_string(struct config_node *node, const char *key)
{
    const char *text = take_string(at_key(node, key), true, "");
    record_text(at_key(node, key), text);
    return text;
}

const char *config_require_name(struct config_node *node, const char *key)
{
    struct config_slot slot = at_key(node, key);
    const char *name = take_string(slot, true, NULL);
    record_text(slot, name);
    if (!name)
        return "";
    if (!topic_name_valid(name)) {
        config_slot_problem(slot, "\"%.80s\" is not a name, expected 1 to 64 of a-z 0-9 _ -", name);
        return "";
    }
    if (topic_name_reserved(name)) {
        config_slot_problem(slot, "\"%s\" is reserved, expected a name that does not begin with _",
                            name);
        return "";
    }
    return name;
}

const char *config_string_at(struct config_node *array, size_t index)
{
    struct config_slot slot = {.node = array, .index = index};
    const char *text = take_string(slot, true, "");
    record_text(slot, text);
    return text;
}

/* RFC 3986, section 3.2: the authority's userinfo ends at its last '@'. */
static void record_url(struct config_slot slot, const char *url)
{
    const char *scheme_end = url ? strstr(url, "://") : NULL;
    const char *authority = scheme_end ? scheme_end + 3 : url;
    const char *host = NULL;
    for (const char *c = authority; c && *c && !strchr("/?#", *c); c++) {
        if (*c == '@')
            host = c;
    }
    if (!host) {
        record_text(slot, url);
        return;
    }
    struct buffer masked = {0};
    buffer_append(&masked, url, (size_t)(authority - url));
    buffer_format(&masked, "%s%s", MASK, host);
    record_text(slot, masked.failed ? MASK : masked.data);
    buffer_free(&masked);
}

const char *config_url(struct config_node *node, const char *key, const char *fallback)
{
    const char *url = take_string(at_key(node, key), false, fallback);
    record_url(at_key(node, key), url);
    return url;
}

/* The first line, kept; NULL where there is none, and then the problem is recorded. */
static const char *read_secret(struct config_slot slot, const char *path)
{
    struct buffer text = {0};
    int error = config_file_read(&text, path, SECRET_MAX);
    size_t length = strcspn(buffer_string(&text), "\r\n");
    const char *secret = NULL;
    if (error)
        config_slot_problem(slot, "\"%.200s\" cannot be read: %s", path, strerror(-error));
    else if (length == 0)
        config_slot_problem(slot, "the first line of \"%.200s\" is empty, expected a secret", path);
    else
        secret = config_keep(slot.node, strndup(text.data, length));
    if (text.data)
        explicit_bzero(text.data, text.size);
    buffer_free(&text);
    return secret;
}

const char *config_secret_file(struct config_node *node, const char *key)
{
    const struct config_want want = {VALUE_TEXT, "the name of a file", false};
    struct config_slot slot = at_key(node, key);
    struct value path = config_slot_take(slot, &want);
    record_text(slot, path.type == VALUE_TEXT ? MASK : NULL);
    return path.type == VALUE_TEXT ? read_secret(slot, path.text) : NULL;
}

const char *config_secret_path(struct config_node *node, const char *key)
{
    const struct config_want want = {VALUE_TEXT, "the name of a file", false};
    struct value path = config_slot_take(at_key(node, key), &want);
    return path.type == VALUE_TEXT ? path.text : NULL;
}

/* ---- numbers ---- */

bool config_bool(struct config_node *node, const char *key, bool fallback)
{
    const struct config_want want = {VALUE_BOOL, "true or false", false};
    struct value value = config_slot_take(at_key(node, key), &want);
    if (value.type != VALUE_BOOL)
        value = value_bool(fallback);
    config_slot_record(at_key(node, key), value);
    return value.boolean;
}

static double take_number(struct config_slot slot, bool required, double fallback)
{
    const struct config_want want = {VALUE_NUMBER, "a number", required};
    struct value value = config_slot_take(slot, &want);
    double number = value.type == VALUE_NUMBER ? value.number : fallback;
    struct value none = {.type = VALUE_NONE}; /* INFINITY stands for "not limited" */
    config_slot_record(slot, isfinite(number) ? value_number(number) : none);
    return number;
}

double config_number(struct config_node *node, const char *key, double fallback)
{
    return take_number(at_key(node, key), false, fallback);
}

double config_require_number(struct config_node *node, const char *key)
{
    return take_number(at_key(node, key), true, 0);
}

double config_number_at(struct config_node *array, size_t index)
{
    struct config_slot slot = {.node = array, .index = index};
    return take_number(slot, true, 0);
}

struct range {
    int64_t min;
    int64_t max;
};

static int64_t take_integer(struct config_slot slot, bool required, int64_t fallback,
                            struct range range)
{
    const struct config_want want = {VALUE_NUMBER, "a whole number", required};
    struct value value = config_slot_take(slot, &want);
    int64_t number = fallback;
    if (value.type == VALUE_NUMBER) {
        bool exact = value.number == rint(value.number) && fabs(value.number) <= EXACT_INTEGER;
        if (exact && value.number >= (double)range.min && value.number <= (double)range.max)
            number = (int64_t)value.number;
        else if (value.number != rint(value.number))
            config_slot_problem(slot, "expected a whole number, got %.17g", value.number);
        else
            config_slot_problem(slot, "expected %" PRId64 " to %" PRId64 ", got %.17g", range.min,
                                range.max, value.number);
    }
    config_slot_record(slot, value_number((double)number));
    return number;
}

int64_t config_integer(struct config_node *node, const char *key, int64_t fallback, int64_t min,
                       int64_t max)
{
    return take_integer(at_key(node, key), false, fallback, (struct range){min, max});
}

int64_t config_require_integer(struct config_node *node, const char *key, int64_t min, int64_t max)
{
    return take_integer(at_key(node, key), true, min, (struct range){min, max});
}

/* ---- durations and sizes ---- */

struct quantity {
    const char *what;
    int (*parse)(const char *text, int64_t *out);
    void (*format)(char out[CONFIG_UNITS_SIZE], int64_t number);
};

static const struct quantity duration = {
    "a duration such as \"500ms\", \"5s\", \"2m\", \"1h\" or \"7d\"",
    config_parse_duration,
    config_format_duration,
};
static const struct quantity size = {
    "a size such as \"512\", \"64KiB\" or \"2GiB\"",
    config_parse_size,
    config_format_size,
};

static int64_t take_quantity(struct config_slot slot, const struct quantity *quantity,
                             int64_t fallback, struct range range)
{
    const struct config_want want = {VALUE_TEXT, quantity->what, false};
    struct value value = config_slot_take(slot, &want);
    char text[CONFIG_UNITS_SIZE];
    int64_t number = fallback;
    if (value.type == VALUE_TEXT) {
        int error = quantity->parse(value.text, &number);
        if (error == -EINVAL) {
            config_slot_problem(slot, "expected %s, got \"%.60s\"", quantity->what, value.text);
            number = fallback;
        } else if (error || number < range.min || number > range.max) {
            char max[CONFIG_UNITS_SIZE];
            quantity->format(text, range.min);
            quantity->format(max, range.max);
            config_slot_problem(slot, "expected \"%s\" to \"%s\", got \"%.60s\"", text, max,
                                value.text);
            number = fallback;
        }
    }
    quantity->format(text, number);
    record_text(slot, text);
    return number;
}

int64_t config_duration(struct config_node *node, const char *key, int64_t fallback_ms,
                        int64_t min_ms, int64_t max_ms)
{
    return take_quantity(at_key(node, key), &duration, fallback_ms, (struct range){min_ms, max_ms});
}

int64_t config_size(struct config_node *node, const char *key, int64_t fallback, int64_t min,
                    int64_t max)
{
    return take_quantity(at_key(node, key), &size, fallback, (struct range){min, max});
}

/* ---- others ---- */

static int take_choice(struct config_slot slot, bool required, const char *const *names,
                       int fallback)
{
    struct buffer what = {0};
    buffer_text(&what, "one of");
    for (size_t i = 0; names[i]; i++)
        buffer_format(&what, "%s \"%s\"", i > 0 ? "," : "", names[i]);
    const struct config_want want = {VALUE_TEXT, buffer_string(&what), required};
    struct value value = config_slot_take(slot, &want);
    int choice = fallback;
    if (value.type == VALUE_TEXT) {
        int i = 0;
        while (names[i] && strcmp(names[i], value.text) != 0)
            i++;
        if (names[i])
            choice = i;
        else
            config_slot_problem(slot, "expected %s, got \"%.60s\"", want.what, value.text);
    }
    record_text(slot, names[choice]);
    buffer_free(&what);
    return choice;
}

int config_choice(struct config_node *node, const char *key, const char *const *names, int fallback)
{
    return take_choice(at_key(node, key), false, names, fallback);
}

int config_require_choice(struct config_node *node, const char *key, const char *const *names)
{
    return take_choice(at_key(node, key), true, names, 0);
}

struct value config_value(struct config_node *node, const char *key)
{
    const struct config_want want = {VALUE_NONE, "a number, a string, true or false", false};
    struct value value = config_slot_take(at_key(node, key), &want);
    config_slot_record(at_key(node, key), value);
    return value;
}
