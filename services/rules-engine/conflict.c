#include "conflict.h"
#include "explain.h"
#include "overlap.h"

#include <string.h>

/* The n-th action of a rule, of both its edges; NULL past the last. */
static const struct action *action_at(const struct rule *rule, size_t n)
{
    if (n < rule->on_active.n)
        return &rule->on_active.items[n];
    n -= rule->on_active.n;
    return n < rule->on_inactive.n ? &rule->on_inactive.items[n] : NULL;
}

/* An actuator as a rule names it. */
struct target {
    const char *location, *device, *actuator;
};

static struct target target_of(const struct rule *rule, const struct action *action)
{
    return (struct target){
        .location = action->location ? action->location : rule->scope.location,
        .device = action->device ? action->device : rule->scope.device,
        .actuator = action->actuator,
    };
}

static bool is_for(const struct target *target, const struct rule *rule,
                   const struct action *action)
{
    if (!action->actuator || strcmp(action->actuator, target->actuator) != 0)
        return false;
    struct target other = target_of(rule, action);
    return overlap_names(target->location, other.location) &&
           overlap_names(target->device, other.device);
}

static bool is_constant(const struct action *action)
{
    return action->value.type != VALUE_NONE;
}

/* Whether `rule` may give the target something else than `action` does. */
static bool differs(const struct rule *rule, const struct target *target,
                    const struct action *action)
{
    const struct action *other;
    for (size_t i = 0; (other = action_at(rule, i)); i++)
        if (is_for(target, rule, other) &&
            !(is_constant(action) && value_equal(&action->value, &other->value)))
            return true;
    return false;
}

static void say_what(const struct rule *rule, const struct target *target, struct buffer *out)
{
    const struct action *action;
    const char *comma = "";
    buffer_format(out, "%s (", rule->scope.name);
    for (size_t i = 0; (action = action_at(rule, i)); i++) {
        if (!is_for(target, rule, action))
            continue;
        buffer_format(out, "%s%s ", comma, i < rule->on_active.n ? "then" : "else");
        explain_value(action, out);
        comma = ", ";
    }
    buffer_char(out, ')');
}

static void say_fight(const struct rule *a, const struct rule *b, const struct target *target,
                      struct buffer *out)
{
    buffer_text(out, "warning: ");
    say_what(a, target, out);
    buffer_text(out, " and ");
    say_what(b, target, out);
    buffer_format(out, " both command %s of %s/%s\n", target->actuator, target->location,
                  target->device);
}

/* The first actuator that both command with different values. */
static bool find_fight(const struct rule *a, const struct rule *b, struct target *target)
{
    const struct action *action;
    for (size_t i = 0; (action = action_at(a, i)); i++) {
        if (!action->actuator)
            continue;
        *target = target_of(a, action);
        if (differs(b, target, action))
            return true;
    }
    return false;
}

size_t conflict_fights(const struct settings *settings, struct buffer *out)
{
    struct target target;
    size_t n = 0;
    for (size_t i = 0; i < settings->n_rules; i++)
        for (size_t j = 0; j < i; j++)
            if (find_fight(&settings->rules[j], &settings->rules[i], &target) &&
                ++n <= CONFLICT_MAX)
                say_fight(&settings->rules[j], &settings->rules[i], &target, out);
    if (n > CONFLICT_MAX)
        buffer_format(out, "warning: %zu more such pairs\n", n - CONFLICT_MAX);
    return n;
}
