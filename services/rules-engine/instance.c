#include "instance.h"

#include <errno.h>
#include <stdlib.h>

static int bind(struct instance_binding *out, struct instance *instance, struct picture *picture,
                const struct expression_reference *reference)
{
    const struct series *own = instance->selected;
    const char *location = reference->location[0] ? reference->location : own->device->location;
    const char *device = reference->device[0] ? reference->device : own->device->name;
    const char *measurement = reference->measurement[0] ? reference->measurement : own->measurement;
    out->series = picture_series(picture, location, device, measurement);
    if (!out->series)
        return -ENOMEM;
    int field = series_field(out->series, reference->field);
    if (field < 0)
        return field;
    out->field = (size_t)field;
    return series_watch(out->series, instance);
}

static int bind_all(struct instance *instance, struct picture *picture)
{
    /* The selected series first: it stands for the device even where no field of it is read. */
    int error = series_watch(instance->selected, instance);
    const struct expression_references *references = &instance->scope->references;
    for (size_t i = 0; i < references->n && !error; i++)
        error = bind(&instance->bindings[i], instance, picture, &references->items[i]);
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

int instance_open(struct instance **out, struct picture *picture, const struct rule *rule,
                  const struct derived *derived, struct series *selected)
{
    const struct scope *scope = rule ? &rule->scope : &derived->scope;
    struct instance *instance =
        calloc(1, sizeof(*instance) + scope->references.n * sizeof(instance->bindings[0]));
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
    free(instance);
}

static bool is_known(const struct instance *instance, const struct series *series,
                     const struct picture_field *field, int64_t time_ms)
{
    int64_t stale_after_ms = instance->scope->stale_after_ms;
    return field->good && !series->device->offline &&
           (stale_after_ms == 0 || time_ms - field->ts_ms < stale_after_ms);
}

struct value instance_read(void *self, enum expression_aspect aspect, size_t reference)
{
    const struct instance_view *view = self;
    const struct instance_binding *binding = &view->instance->bindings[reference];
    const struct picture_field *field = &binding->series->fields[binding->field];
    struct value unknown = {.type = VALUE_NONE};
    if (field->value.type == VALUE_NONE)
        return unknown; /* never seen */
    if (aspect == EXPRESSION_AGE)
        return value_number((double)(view->time_ms - field->ts_ms) / 1000);
    if (!is_known(view->instance, binding->series, field, view->time_ms))
        return unknown;
    return aspect == EXPRESSION_PREVIOUS ? field->previous : field->value;
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
