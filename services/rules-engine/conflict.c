#include "conflict.h"
#include "explain.h"
#include "overlap.h"

#include <errno.h>
#include <stdlib.h>
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

/* The first action of `a` to whose actuator `b` may give another value; NULL where there is none.
 */
static const struct action *find_fight(const struct rule *a, const struct rule *b)
{
    const struct action *action;
    for (size_t i = 0; (action = action_at(a, i)); i++) {
        if (!action->actuator)
            continue;
        struct target target = target_of(a, action);
        if (differs(b, &target, action))
            return action;
    }
    return NULL;
}

/* An action that commands, and where. */
struct use {
    struct overlap_place place;
    const struct rule *rule;
    const struct action *action;
};

/* Two rules, the earlier one first. */
struct pair {
    const struct rule *a, *b;
};

struct fights {
    struct use *uses;
    size_t n_uses;
    struct pair first[CONFLICT_MAX]; /* in the order of the settings */
    size_t n;
};

static int by_place(const void *a, const void *b)
{
    return overlap_order(&((const struct use *)a)->place, &((const struct use *)b)->place);
}

static int list_uses(struct fights *fights, const struct settings *settings)
{
    const struct action *action;
    size_t n = 0;
    for (size_t i = 0; i < settings->n_rules; i++)
        n += settings->rules[i].on_active.n + settings->rules[i].on_inactive.n;
    fights->uses = calloc(n + 1, sizeof(*fights->uses));
    if (!fights->uses)
        return -ENOMEM;
    for (size_t i = 0; i < settings->n_rules; i++) {
        const struct rule *rule = &settings->rules[i];
        for (size_t j = 0; (action = action_at(rule, j)); j++)
            if (action->actuator)
                fights->uses[fights->n_uses++] =
                    (struct use){{action->actuator, target_of(rule, action).device}, rule, action};
    }
    qsort(fights->uses, fights->n_uses, sizeof(*fights->uses), by_place);
    return 0;
}

static bool comes_before(const struct pair *one, const struct pair *other)
{
    return one->b != other->b ? one->b < other->b : one->a < other->a;
}

static void keep(struct fights *fights, struct pair pair)
{
    size_t at = fights->n < CONFLICT_MAX ? fights->n : CONFLICT_MAX - 1;
    if (fights->n++ >= CONFLICT_MAX && !comes_before(&pair, &fights->first[at]))
        return;
    for (; at > 0 && comes_before(&pair, &fights->first[at - 1]); at--)
        fights->first[at] = fights->first[at - 1];
    fights->first[at] = pair;
}

static const struct action *first_for(const struct rule *rule, const struct target *target)
{
    const struct action *action;
    for (size_t i = 0; (action = action_at(rule, i)); i++)
        if (is_for(target, rule, action))
            break;
    return action;
}

/* Two rules may meet at several actuators, and at one by both edges: counts where they do first. */
static void compare(struct fights *fights, const struct use *one, const struct use *other)
{
    if (one->rule == other->rule)
        return;
    const struct use *a = one->rule < other->rule ? one : other, *b = a == one ? other : one;
    struct target target = target_of(a->rule, a->action);
    if (find_fight(a->rule, b->rule) == a->action && first_for(b->rule, &target) == b->action)
        keep(fights, (struct pair){a->rule, b->rule});
}

size_t conflict_fights(const struct settings *settings, struct buffer *out)
{
    struct fights fights = {.n = 0};
    out->failed |= list_uses(&fights, settings) != 0;
    const struct use *uses = fights.uses;
    for (size_t i = 0; i < fights.n_uses; i++)
        for (size_t j = i + 1; j < fights.n_uses && overlap_follows(&uses[i].place, &uses[j].place);
             j++)
            compare(&fights, &uses[i], &uses[j]);
    for (size_t i = 0; i < fights.n && i < CONFLICT_MAX; i++) {
        const struct pair *pair = &fights.first[i];
        struct target target = target_of(pair->a, find_fight(pair->a, pair->b));
        say_fight(pair->a, pair->b, &target, out);
    }
    if (fights.n > CONFLICT_MAX)
        buffer_format(out, "warning: %zu more such pairs\n", fights.n - CONFLICT_MAX);
    free(fights.uses);
    return fights.n;
}
