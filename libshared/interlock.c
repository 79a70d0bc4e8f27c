#include "interlock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct interlock {
    struct expression *expression;
    struct expression_references references;
};

static int compile(struct interlock *interlock, const char *text, struct expression_error *error)
{
    return expression_compile(&interlock->expression, text, strlen(text), EXPRESSION_BOOL,
                              &interlock->references, error);
}

static bool leaves_the_device(const struct interlock *interlock)
{
    for (size_t i = 0; i < interlock->references.n; i++)
        if (interlock->references.items[i].device[0] != '\0')
            return true;
    return false;
}

static void check(const struct interlock *interlock, struct config_node *node, const char *key)
{
    if (leaves_the_device(interlock))
        config_problem(node, key, "reads another device; it may read its own only");
    else if (expression_reads_past(interlock->expression))
        config_problem(node, key,
                       "asks for the past; previous(), rate() and windows are for rules only");
    else if (!expression_reads_clock(interlock->expression))
        config_problem(
            node, key,
            "says nothing about how old its values may be: add \"and age(field) < 30s\"");
}

const char *interlock_configure(struct config_node *node, const char *key)
{
    const char *text = config_string(node, key, NULL);
    struct interlock interlock = {0};
    struct expression_error error = {0};

    if (!text)
        return NULL;
    if (compile(&interlock, text, &error) == 0)
        check(&interlock, node, key);
    else
        config_problem(node, key, "%u:%u: %s", error.line, error.column, error.text);
    expression_close(interlock.expression);
    expression_references_free(&interlock.references);
    return text;
}

void interlock_check(const char *text, const struct fields *fields, struct config_node *node,
                     const char *key)
{
    struct interlock interlock = {0};
    struct expression_error error;

    if (text && compile(&interlock, text, &error) == 0 && !leaves_the_device(&interlock))
        for (size_t i = 0; i < interlock.references.n; i++) {
            const struct expression_reference *at = &interlock.references.items[i];

            fields_require(fields, at->measurement, at->field, node, key);
        }
    expression_close(interlock.expression);
    expression_references_free(&interlock.references);
}

int interlock_open(struct interlock **out, const char *text)
{
    struct interlock *interlock = calloc(1, sizeof *interlock);
    struct expression_error error;
    int rc = interlock ? compile(interlock, text, &error) : -ENOMEM;

    if (rc != 0) {
        interlock_close(interlock);
        return rc;
    }
    *out = interlock;
    return 0;
}

void interlock_close(struct interlock *interlock)
{
    if (!interlock)
        return;
    expression_close(interlock->expression);
    expression_references_free(&interlock->references);
    free(interlock);
}

struct view {
    const struct interlock *interlock;
    const struct latest *latest;
    int64_t now_ms;
};

static struct value read_field(void *self, enum expression_aspect aspect, size_t reference)
{
    const struct view *view = self;
    const struct expression_reference *at = &view->interlock->references.items[reference];
    const struct latest_value *value = latest_find(view->latest, at->measurement, at->field);

    if (value && aspect == EXPRESSION_AGE)
        return value_number((double)(view->now_ms - value->at_ms) / 1000);
    if (value && aspect == EXPRESSION_CURRENT)
        return value->value;
    return (struct value){.type = VALUE_NONE};
}

bool interlock_holds(const struct interlock *interlock, const struct latest *latest, int64_t now_ms)
{
    struct view view = {interlock, latest, now_ms};
    struct value holds = expression_evaluate(interlock->expression, read_field, &view);

    return holds.type == VALUE_BOOL && holds.boolean;
}
