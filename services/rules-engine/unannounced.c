#include "unannounced.h"
#include "wildcard.h"

#include <string.h>

static bool has(const struct announced_device *device, const char *measurement, const char *name)
{
    for (size_t i = 0; i < device->n; i++)
        if (strcmp(device->items[i].measurement, measurement) == 0 &&
            (!name || strcmp(device->items[i].name, name) == 0))
            return true;
    return false;
}

static bool is_for(const struct scope *scope, const struct announced_device *device)
{
    return wildcard_matches(scope->location, device->location) &&
           wildcard_matches(scope->device, device->name);
}

static bool any_value(const struct derived_value *values, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!name || strcmp(values[i].name, name) == 0)
            return true;
    return false;
}

static bool any_published(const struct actions *actions, const char *measurement, const char *name)
{
    for (size_t i = 0; i < actions->n; i++)
        if (actions->items[i].measurement &&
            strcmp(actions->items[i].measurement, measurement) == 0 &&
            any_value(actions->items[i].values, actions->items[i].n_values, name))
            return true;
    return false;
}

/* Whether a derived value or a rule gives the device this, any field where `name` is NULL. */
static bool is_computed(const struct settings *settings, const struct announced_device *device,
                        const char *measurement, const char *name)
{
    for (size_t i = 0; i < settings->n_derived; i++) {
        const struct derived *derived = &settings->derived[i];
        if (strcmp(derived->measurement, measurement) == 0 && is_for(&derived->scope, device) &&
            any_value(derived->values, derived->n_values, name))
            return true;
    }
    for (size_t i = 0; i < settings->n_rules; i++) {
        const struct rule *rule = &settings->rules[i];
        if (is_for(&rule->scope, device) && (any_published(&rule->on_active, measurement, name) ||
                                             any_published(&rule->on_inactive, measurement, name)))
            return true;
    }
    return false;
}

static bool gives(const struct settings *settings, const struct announced_device *device,
                  const char *measurement, const char *name)
{
    return has(device, measurement, name) || is_computed(settings, device, measurement, name);
}

/* What is looked for, and where. */
struct search {
    const struct announced *announced;
    const struct settings *settings;
    const char *location, *device; /* patterns */
    const struct scope *among;     /* only devices that it selects; NULL: any */
    const char *measurement;       /* empty: an actuator */
    const char *name;              /* NULL: any point of the measurement */
};

struct found {
    size_t with, without;
    const struct announced_device *lacking; /* the first one without */
};

static struct found find(const struct search *search)
{
    struct found found = {0};
    for (size_t i = 0; i < search->announced->n; i++) {
        const struct announced_device *device = &search->announced->devices[i];
        if (!wildcard_matches(search->location, device->location) ||
            !wildcard_matches(search->device, device->name))
            continue;
        if (search->among && !gives(search->settings, device, search->among->measurement, NULL))
            continue; /* the rule does not select it */
        if (gives(search->settings, device, search->measurement, search->name))
            found.with++;
        else if (found.without++ == 0)
            found.lacking = device;
    }
    return found;
}

struct listing {
    const struct announced *announced;
    const struct settings *settings;
    const struct scope *scope; /* of the rule or derived value that is looked at */
    struct buffer *out;
    size_t n;
};

static struct search search_of(const struct listing *listing, const char *location,
                               const char *device, const char *measurement, const char *name)
{
    return (struct search){
        .announced = listing->announced,
        .settings = listing->settings,
        .location = location ? location : listing->scope->location,
        .device = device ? device : listing->scope->device,
        .among = location || device ? NULL : listing->scope,
        .measurement = measurement,
        .name = name,
    };
}

static void tell(struct listing *listing, const char *verb, const struct search *search)
{
    struct found found = find(search);
    struct buffer *out = listing->out;
    if (found.with > 0 && found.without == 0)
        return;
    listing->n++;
    buffer_format(out, "warning: %s %s %s", listing->scope->name, verb, search->name);
    if (search->measurement[0])
        buffer_format(out, " of %s", search->measurement);
    if (found.without == 0)
        buffer_format(out, ", and no device %s/%s announces anything\n", search->location,
                      search->device);
    else if (found.without == 1)
        buffer_format(out, ", which %s/%s does not announce\n", found.lacking->location,
                      found.lacking->name);
    else
        buffer_format(out, ", which %s/%s and %zu more do not announce\n", found.lacking->location,
                      found.lacking->name, found.without - 1);
}

/* `a.b` is of another measurement of the selected device or, where it has none, of a device a. */
static bool is_of_device(const struct listing *listing,
                         const struct expression_reference *reference)
{
    struct search other = search_of(listing, listing->scope->location, reference->measurement,
                                    listing->scope->measurement, reference->field);
    return find(&other).with > 0;
}

static void look_at_reference(struct listing *listing, const struct expression_reference *reference)
{
    const char *measurement =
        reference->measurement[0] ? reference->measurement : listing->scope->measurement;
    struct search search =
        search_of(listing, reference->location[0] ? reference->location : NULL,
                  reference->device[0] ? reference->device : NULL, measurement, reference->field);
    if (reference->device[0] || !reference->measurement[0] || !is_of_device(listing, reference))
        tell(listing, "reads", &search);
}

/* Whether it selects anything. */
static bool look_at_scope(struct listing *listing, const struct scope *scope)
{
    listing->scope = scope;
    struct search selected = search_of(listing, NULL, NULL, scope->measurement, NULL);
    if (find(&selected).with == 0) {
        listing->n++;
        buffer_format(listing->out, "warning: %s selects %s of %s/%s, which no device announces\n",
                      scope->name, scope->measurement, scope->location, scope->device);
        return false;
    }
    for (size_t i = 0; i < scope->references.n; i++)
        look_at_reference(listing, &scope->references.items[i]);
    return true;
}

/* Whether an action before it commands the same: "then" and "else" mostly do. */
static bool is_repeated(const struct action *action, const struct action *before, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (before[i].actuator && strcmp(before[i].actuator, action->actuator) == 0)
            return true;
    return false;
}

static void look_at_actions(struct listing *listing, const struct actions *actions,
                            const struct actions *before)
{
    for (size_t i = 0; i < actions->n; i++) {
        const struct action *action = &actions->items[i];
        if (!action->actuator || is_repeated(action, actions->items, i) ||
            is_repeated(action, before->items, before->n))
            continue;
        struct search search =
            search_of(listing, action->location, action->device, "", action->actuator);
        tell(listing, "commands", &search);
    }
}

size_t unannounced_list(const struct announced *announced, const struct settings *settings,
                        struct buffer *out)
{
    struct listing listing = {.announced = announced, .settings = settings, .out = out};
    for (size_t i = 0; i < settings->n_derived; i++)
        look_at_scope(&listing, &settings->derived[i].scope);
    for (size_t i = 0; i < settings->n_rules; i++) {
        if (settings->rules[i].control.kind == CONTROL_WATCH || /* reads what the control does */
            !look_at_scope(&listing, &settings->rules[i].scope))
            continue;
        look_at_actions(&listing, &settings->rules[i].on_active, &(struct actions){0});
        look_at_actions(&listing, &settings->rules[i].on_inactive, &settings->rules[i].on_active);
    }
    return listing.n;
}
