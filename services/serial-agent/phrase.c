#include "phrase.h"

#include "number.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Text that is put together in a fixed size; too much is remembered. */
struct text {
    char *out;
    size_t length;
    bool full;
};

static void add(struct text *text, const char *from, size_t length)
{
    if (text->full || length >= PHRASE_SIZE - text->length) {
        text->full = true;
        return;
    }
    memcpy(text->out + text->length, from, length);
    text->length += length;
    text->out[text->length] = '\0';
}

static int add_value(struct text *text, const struct value *value)
{
    char number[NUMBER_SIZE];

    switch (value->type) {
    case VALUE_BOOL:
        add(text, value->boolean ? "1" : "0", 1);
        return 0;
    case VALUE_NUMBER:
        add(text, number, number_format(number, value->number));
        return 0;
    case VALUE_TEXT:
        add(text, value->text, strlen(value->text));
        return 0;
    case VALUE_NONE:
        break;
    }
    return -EINVAL;
}

/* name[0..length) between the braces. */
static bool is_value(const char *name, size_t length)
{
    return length == 5 && memcmp(name, "value", 5) == 0;
}

static int add_choice(struct text *text, const char *name, size_t length, const struct value *value)
{
    const char *bar = memchr(name, '|', length);

    if (is_value(name, length))
        return add_value(text, value);
    if (!bar || value->type != VALUE_BOOL)
        return -EINVAL;
    if (value->boolean)
        add(text, name, (size_t)(bar - name));
    else
        add(text, bar + 1, (size_t)(name + length - bar - 1));
    return 0;
}

int phrase_render(const struct phrase *phrase, const struct value *value, char out[PHRASE_SIZE])
{
    struct text text = {.out = out};
    const char *rest = phrase->text;

    out[0] = '\0';
    for (;;) {
        size_t plain = strcspn(rest, "{");
        const char *end;
        int error;

        add(&text, rest, plain);
        rest += plain;
        end = strchr(rest, '}');
        if (!end)
            break;
        error = add_choice(&text, rest + 1, (size_t)(end - rest - 1), value);
        if (error)
            return error;
        rest = end + 1;
    }
    return text.full ? -EMSGSIZE : 0;
}

/* {pin}: the value of the node's own key. */
static void add_key(struct text *text, struct config_node *node, const char *key, const char *name,
                    size_t length)
{
    char own[TOPIC_NAME_SIZE];
    struct value value;

    snprintf(own, sizeof own, "%.*s", (int)length, name);
    value = config_value(node, own);
    if (add_value(text, &value) != 0)
        config_problem(node, key, "names {%s}, but there is no \"%s\" beside it", own, own);
}

static void fill_in(struct text *text, struct config_node *node, const char *key, const char *from)
{
    for (;;) {
        size_t plain = strcspn(from, "{");
        const char *end = strchr(from + plain, '}');
        size_t length;

        add(text, from, plain);
        from += plain;
        if (*from == '\0')
            return;
        if (!end) {
            config_problem(node, key, "has a '{' without its '}'");
            return;
        }
        length = (size_t)(end - from - 1);
        if (is_value(from + 1, length) || memchr(from + 1, '|', length))
            add(text, from, length + 2);
        else
            add_key(text, node, key, from + 1, length);
        from = end + 1;
    }
}

void phrase_configure(struct phrase *out, struct config_node *node, const char *key,
                      enum actuator_type type)
{
    static const struct value examples[] = {
        [ACTUATOR_BOOL] = {.type = VALUE_BOOL, .boolean = true},
        [ACTUATOR_NUMBER] = {.type = VALUE_NUMBER, .number = 0},
        [ACTUATOR_TEXT] = {.type = VALUE_TEXT, .text = "x"},
    };
    struct text text = {.out = out->text};
    char line[PHRASE_SIZE];

    memset(out, 0, sizeof *out);
    fill_in(&text, node, key, config_require_string(node, key));
    if (text.full)
        config_problem(node, key, "is longer than %d characters", PHRASE_SIZE - 1);
    else if (out->text[0] != '\0' && !strchr(out->text, '{'))
        config_problem(node, key,
                       "has neither {value} nor {ON|OFF}: every value would write the same");
    else if (phrase_render(out, &examples[type], line) != 0)
        config_problem(node, key, "{ON|OFF} is for type \"bool\"; numbers and texts need {value}");
}
