#include "settings_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Once more, with references of its own. NULL where there is none, or it was wrong and told. */
static int compile_again(struct expression **out, const struct expression *of,
                         struct expression_references *references)
{
    struct expression_error where;
    const char *text = of ? expression_text(of) : NULL;
    return of ? expression_compile(out, text, strlen(text), EXPRESSION_ANY, references, &where) : 0;
}

static int read_message(struct rule *out, struct config_node *node)
{
    const struct control *control = &out->control;
    char *fallback = NULL;
    if (!control->input || !control->setpoint)
        return settings_message(out, node, "{rule}");
    if (asprintf(&fallback, "{device}: {%s} instead of {%s}", expression_text(control->input),
                 expression_text(control->setpoint)) < 0)
        return -ENOMEM;
    int error = settings_message(out, node, fallback);
    free(fallback);
    return error;
}

int settings_watch(struct rule *out, struct rule *control, struct config_node *node)
{
    struct expression_references *references = &out->scope.references;
    *out = (struct rule){
        .scope = control->scope,
        .control = {.kind = CONTROL_WATCH, .tolerance = control->control.tolerance},
        .reads_clock = true, /* what it reads becomes unknown by time alone */
        .timing = control->timing,
        .has_hours = control->has_hours,
        .hours = control->hours,
        .alerts = true,
        .severity = control->severity,
    };
    out->timing.stale_after_ms = 0; /* unknown is not held, which it knows */
    out->scope.references = (struct expression_references){0};
    control->timing = (struct rule_timing){0};
    control->alerts = false;
    if (asprintf(&out->control.watch_name, "%s" SETTINGS_NOT_HELD, control->scope.name) < 0) {
        out->control.watch_name = NULL;
        return -ENOMEM;
    }
    out->scope.name = out->control.watch_name;
    int error = compile_again(&out->control.input, control->control.input, references);
    if (!error)
        error = compile_again(&out->control.setpoint, control->control.setpoint, references);
    if (!error)
        error = compile_again(&out->control.automatic, control->control.automatic, references);
    return error ? error : read_message(out, node);
}
