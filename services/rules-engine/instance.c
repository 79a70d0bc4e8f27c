#include "instance.h"
#include "duty.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static int bind(struct instance *instance, size_t i, struct series *series)
{
    const struct expression_references *references = &instance->scope->references;
    const struct expression_reference *reference = &references->items[i % references->n];
    int field = series ? series_field(series, reference->field) : -ENOMEM;
    if (field < 0)
        return field;
    struct window *window = NULL;
    if (reference->window != EXPRESSION_NO_WINDOW) {
        window = series_window(series, (size_t)field, reference->window, reference->window_ms);
        if (!window)
            return -ENOMEM;
        window->wanted = true;
    }
    instance->bindings[i] = (struct instance_binding){
        .series = series,
        .window = window,
        .field = (uint16_t)field,
    };
    return series_watch(series, instance);
}

/* `state.jam` is another measurement of the selected device, `greenhouse_001.temperature` the
 * selected measurement of another device: which of them there is, readings will tell. */
static bool may_be_device(const struct expression_reference *reference)
{
    return reference->measurement[0] && !reference->device[0];
}

static int bind_reference(struct instance *instance, struct picture *picture, size_t i)
{
    const struct series *own = instance->selected;
    const struct expression_reference *reference = &instance->scope->references.items[i];
    const char *location = reference->location[0] ? reference->location : own->device->location;
    const char *device = reference->device[0] ? reference->device : own->device->name;
    const char *measurement = reference->measurement[0] ? reference->measurement : own->measurement;
    int error = bind(instance, i, picture_series(picture, location, device, measurement));
    if (error || !may_be_device(reference))
        return error;
    size_t other = i + instance->scope->references.n;
    error = bind(instance, other,
                 picture_series(picture, location, reference->measurement, own->measurement));
    instance->bindings[i].other = (uint16_t)other;
    return error;
}

/* What the rule publishes is for the store and for people: not taken for a reading when it comes
 * back, so that no rule can keep itself busy. */
static int own_published(struct instance *instance, struct picture *picture)
{
    const struct picture_device *device = instance->selected->device;
    const struct actions *both[] = {&instance->rule->on_active, &instance->rule->on_inactive};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < both[i]->n; j++) {
            const char *measurement = both[i]->items[j].measurement;
            struct series *series =
                measurement ? picture_series(picture, device->location, device->name, measurement)
                            : NULL;
            if (measurement && !series)
                return -ENOMEM;
            if (series)
                series->own = true;
        }
    }
    return 0;
}

static int bind_all(struct instance *instance, struct picture *picture)
{
    /* The selected series first: it stands for the device even where no field of it is read. */
    int error = series_watch(instance->selected, instance);
    for (size_t i = 0; i < instance->scope->references.n && !error; i++)
        error = bind_reference(instance, picture, i);
    if (!error && instance->rule)
        error = own_published(instance, picture);
    if (error || !instance->derived)
        return error;
    const struct picture_device *device = instance->selected->device;
    instance->output =
        picture_series(picture, device->location, device->name, instance->derived->measurement);
    if (!instance->output)
        return -ENOMEM;
    instance->output->own = true;
    return 0;
}

static size_t n_bindings(const struct expression_references *references)
{
    for (size_t i = 0; i < references->n; i++)
        if (may_be_device(&references->items[i]))
            return 2 * references->n;
    return references->n;
}

int instance_open(struct instance **out, struct picture *picture, const struct rule *rule,
                  const struct derived *derived, struct series *selected)
{
    const struct scope *scope = rule ? &rule->scope : &derived->scope;
    size_t n = n_bindings(&scope->references);
    struct instance *instance = calloc(1, sizeof(*instance) + n * sizeof(instance->bindings[0]));
    *out = instance;
    if (!instance)
        return -ENOMEM;
    instance->scope = scope;
    instance->rule = rule;
    instance->derived = derived;
    instance->selected = selected;
    return bind_all(instance, picture);
}

void instance_close(struct instance *instance)
{
    if (instance && instance->rule)
        duty_close(instance->duty);
    free(instance);
}

static bool is_fresh(const struct instance *instance, const struct series *series,
                     const struct picture_field *field, int64_t time_ms)
{
    int64_t stale_after_ms = instance->scope->stale_after_ms;
    return !series->device->offline &&
           (stale_after_ms == 0 || time_ms - field->ts_ms < stale_after_ms);
}

static struct value rate(const struct picture_field *field)
{
    if (field->value.type != VALUE_NUMBER || field->previous.type != VALUE_NUMBER ||
        field->ts_ms <= field->previous_ms)
        return (struct value){.type = VALUE_NONE};
    double seconds = (double)(field->ts_ms - field->previous_ms) / 1000;
    double rate = (field->value.number - field->previous.number) / seconds;
    return isfinite(rate) ? value_number(rate) : (struct value){.type = VALUE_NONE};
}

static const struct instance_binding *binding_of(const struct instance *instance, size_t reference)
{
    const struct instance_binding *binding = &instance->bindings[reference];
    if (binding->other && binding->series->ts_ms == 0)
        return &instance->bindings[binding->other];
    return binding;
}

/* One bad reading makes the field unknown, but is only a hole in its windows. */
struct value instance_read(void *self, enum expression_aspect aspect, size_t reference)
{
    const struct instance_view *view = self;
    const struct instance_binding *binding = binding_of(view->instance, reference);
    struct value unknown = {.type = VALUE_NONE};
    if (!binding->series)
        return unknown; /* there was no memory, or no room in the picture */
    const struct picture_field *field = &binding->series->fields[binding->field];
    if (field->value.type == VALUE_NONE)
        return unknown; /* never seen */
    if (aspect == EXPRESSION_AGE)
        return value_number((double)(view->time_ms - field->ts_ms) / 1000);
    if (aspect == EXPRESSION_COUNT)
        return window_value(binding->window, aspect, view->time_ms);
    if (!is_fresh(view->instance, binding->series, field, view->time_ms))
        return unknown;
    if (aspect >= EXPRESSION_MEAN)
        return window_value(binding->window, aspect, view->time_ms);
    if (!field->good)
        return unknown;
    if (aspect == EXPRESSION_RATE)
        return rate(field);
    return aspect == EXPRESSION_PREVIOUS ? field->previous : field->value;
}

int64_t instance_change_ms(const struct instance *instance, int64_t time_ms)
{
    int64_t first_ms = INT64_MAX;
    for (size_t i = 0; i < instance->rule->n_asked; i++) {
        const struct window *window = binding_of(instance, i)->window;
        int64_t at_ms = window ? window_change_ms(window, time_ms) : INT64_MAX;
        first_ms = at_ms < first_ms ? at_ms : first_ms;
    }
    return first_ms;
}

struct rule_condition instance_condition(const struct instance *instance, int64_t time_ms)
{
    const struct rule *rule = instance->rule;
    struct instance_view view = {.instance = instance, .time_ms = time_ms};
    struct rule_condition condition = {
        .when = expression_evaluate(rule->when, instance_read, &view),
    };
    if (rule->until) {
        condition.until = expression_evaluate(rule->until, instance_read, &view);
    } else {
        condition.until = condition.when;
        condition.until.boolean = !condition.when.boolean;
    }
    return condition;
}
