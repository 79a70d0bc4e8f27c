#include "actuator_settings.h"

#include "boolean.h"
#include "interlock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[] = {"bool", "number", "text", NULL};

static bool is_hold(const struct value *safe)
{
    return safe->type == VALUE_TEXT && strcmp(safe->text, "hold") == 0;
}

static void configure_safe(struct actuator_settings *out, struct config_node *node)
{
    struct value safe = config_value(node, "safe");

    out->has_safe = safe.type != VALUE_NONE;
    if (!out->has_safe || is_hold(&safe) || actuator_convert(out, &safe, &out->safe) == NULL)
        return;
    out->safe = (struct value){.type = VALUE_NONE};
    config_problem(node, "safe", "is no value that this actuator takes, and not \"hold\"");
}

static void configure_guard(struct actuator_settings *out, struct config_node *node)
{
    static const enum value_type types[] = {VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT};
    struct config_node *guard = config_object(node, "guard");

    guard_configure(&out->guard, guard, types[out->type], isfinite(out->min) ? out->min : 0);
    if (out->guard.max_on_ms > 0 && (out->safe.type == VALUE_NONE || guard_is_on(&out->safe)))
        config_problem(guard, "max_on", "needs a \"safe\" value that is off to go to");
}

void actuator_configure_typed(struct actuator_settings *out, struct config_node *node,
                              enum actuator_type type)
{
    memset(out, 0, sizeof *out);
    snprintf(out->name, sizeof out->name, "%s", config_require_name(node, "name"));
    out->type = type;
    out->unit = config_string(node, "unit", NULL);
    out->min = -INFINITY;
    out->max = INFINITY;
    if (out->type == ACTUATOR_NUMBER) {
        out->min = config_number(node, "min", -INFINITY);
        out->max = config_number(node, "max", INFINITY);
    }
    if (out->min > out->max)
        config_problem(node, "min", "is above \"max\"");
    out->dry_run = config_bool(node, "dry_run", false);
    configure_safe(out, node);
    configure_guard(out, node);
    failsafe_configure(&out->fail_safe, config_object(node, "fail_safe"));
    if (failsafe_is_used(&out->fail_safe) && !out->has_safe)
        config_problem(node, "fail_safe", "needs \"safe\": the value to go to, or \"hold\"");
}

void actuator_configure(struct actuator_settings *out, struct config_node *node)
{
    actuator_configure_typed(
        out, node, (enum actuator_type)config_choice(node, "type", type_names, ACTUATOR_BOOL));
}

void actuator_check(const struct actuator_settings *settings, const struct fields *fields,
                    struct config_node *node)
{
    interlock_check(settings->guard.interlock, fields, config_object(node, "guard"), "interlock");
    failsafe_check(&settings->fail_safe, fields, config_object(node, "fail_safe"));
}

void actuator_own(struct actuator_settings *settings, struct texts *texts)
{
    texts_own(texts, &settings->unit);
    texts_own_value(texts, &settings->safe);
    for (size_t i = 0; i < settings->guard.n_allowed; i++)
        texts_own_value(texts, &settings->guard.allowed[i]);
    texts_own(texts, &settings->guard.interlock);
    failsafe_own(&settings->fail_safe, texts);
}

const char *actuator_convert(const struct actuator_settings *settings, const struct value *from,
                             struct value *out)
{
    bool boolean;

    switch (settings->type) {
    case ACTUATOR_BOOL:
        if (boolean_read(from, &boolean) != 0)
            return "bad_value";
        *out = value_bool(boolean);
        return NULL;
    case ACTUATOR_NUMBER:
        if (from->type != VALUE_NUMBER || !isfinite(from->number))
            return "bad_value";
        *out = *from;
        return from->number < settings->min || from->number > settings->max ? "out_of_range" : NULL;
    case ACTUATOR_TEXT:
        break;
    }
    *out = *from;
    return from->type == VALUE_TEXT ? NULL : "bad_value";
}
