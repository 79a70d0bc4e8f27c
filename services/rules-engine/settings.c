#include "settings.h"
#include "settings_check.h"
#include "settings_parts.h"
#include "topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool settings_await(const struct settings *settings)
{
    for (size_t i = 0; i < settings->n_rules; i++)
        if (settings->rules[i].absent_ms > 0)
            return true;
    return false;
}

int settings_expression(struct expression **out, struct config_node *node, const char *key,
                        enum expression_type type, struct expression_references *references)
{
    struct expression_error where;
    const char *text = config_require_string(node, key);
    *out = NULL;
    if (text[0] == '\0')
        return 0; /* config.h has told */
    int error = expression_compile(out, text, strlen(text), type, references, &where);
    if (error != -EINVAL)
        return error;
    config_problem(node, key, "line %u, column %u: %s", where.line, where.column, where.text);
    return 0;
}

static const char *read_pattern(struct config_node *node, const char *key, const char *fallback)
{
    const char *pattern = config_string(node, key, fallback);
    size_t length = strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789_-*");
    if (pattern[length] != '\0' || length == 0 || length >= TOPIC_NAME_SIZE)
        config_problem(node, key,
                       "is \"%s\", must be a name of 1 to 64 of a-z, 0-9, _ and -, in which * "
                       "stands for any run of characters",
                       pattern);
    return pattern;
}

static void read_scope(struct scope *out, struct config_node *node)
{
    static const char *const texts[] = {"name", "message", "severity", "alert", NULL};
    struct config_node *select = config_object(node, "select");
    out->meaning = config_meaning(node, texts);
    out->node = node;
    out->name = config_require_name(node, "name");
    out->location = read_pattern(select, "location", "*");
    out->device = read_pattern(select, "device", "*");
    out->measurement = config_require_name(select, "measurement");
    out->stale_after_ms =
        config_duration(node, "stale_after", SETTINGS_STALE_AFTER_MS, 0, SETTINGS_WEEK_MS);
}

int settings_message(struct rule *out, struct config_node *node, const char *fallback)
{
    struct expression_error where;
    const char *text = config_string(node, "message", fallback);
    int error = template_compile(&out->message, text, &out->scope.references, &where);
    if (error != -EINVAL)
        return error;
    config_problem(node, "message", "line %u, column %u: %s", where.line, where.column, where.text);
    return 0;
}

static void read_timing(struct rule *out, struct config_node *node)
{
    static const char *const severities[] = {"info", "warning", "critical", NULL};
    out->timing.for_ms = config_duration(node, "for", 0, 0, SETTINGS_WEEK_MS);
    out->timing.clear_for_ms = config_duration(node, "clear_for", 0, 0, SETTINGS_WEEK_MS);
    out->alerts = config_bool(node, "alert", false);
    out->timing.stale_after_ms = out->alerts ? out->scope.stale_after_ms : 0;
    out->severity = (enum alert_severity)config_choice(node, "severity", severities, ALERT_WARNING);
}

/* When it may fire at all. */
static int read_pace(struct rule *out, struct config_node *node)
{
    out->cool_down_ms = config_duration(node, "cool_down", 0, 0, SETTINGS_WEEK_MS);
    out->max_per_hour = (size_t)config_integer(node, "max_per_hour", 0, 0, 3600);
    out->has_hours = config_has(node, "enable");
    return out->has_hours ? hours_configure(&out->hours, config_object(node, "enable")) : 0;
}

/* `when` with `until`, or `absent`. */
static int read_condition(struct rule *out, struct config_node *node)
{
    struct expression_references *references = &out->scope.references;
    if (!config_has(node, "absent")) {
        int error = settings_expression(&out->when, node, "when", EXPRESSION_BOOL, references);
        if (!error && config_has(node, "until"))
            error = settings_expression(&out->until, node, "until", EXPRESSION_BOOL, references);
        return error;
    }
    out->absent_ms = config_duration(node, "absent", 0, 1, SETTINGS_WEEK_MS);
    out->timing.stale_after_ms = 0; /* silence is what it knows */
    static const char *const others[] = {"when", "until", "for"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (config_has(node, others[i]))
            config_problem(node, others[i],
                           "does not go with \"absent\", which is all that the rule waits for");
    return 0;
}

/* The alerts about a command that failed and about a set-point that is not held have the rule's
 * name, and more. */
static void check_name(const struct rule *rule, struct config_node *node)
{
    bool controls = rule->control.kind != CONTROL_NONE, commands = controls;
    const char *behind = controls && rule->alerts ? SETTINGS_NOT_HELD : SETTINGS_FAILED;
    for (size_t i = 0; i < rule->on_active.n; i++)
        commands |= rule->on_active.items[i].actuator != NULL;
    for (size_t i = 0; i < rule->on_inactive.n; i++)
        commands |= rule->on_inactive.items[i].actuator != NULL;
    if (commands && strlen(rule->scope.name) + strlen(behind) >= TOPIC_NAME_SIZE)
        config_problem(node, "name",
                       "has %zu characters, at most %zu are possible where a rule commands: an "
                       "alert about that adds %s",
                       strlen(rule->scope.name), TOPIC_NAME_SIZE - 1 - strlen(behind), behind);
}

static bool reads_windows(const struct expression_references *references)
{
    for (size_t i = 0; i < references->n; i++)
        if (references->items[i].window != EXPRESSION_NO_WINDOW)
            return true;
    return false;
}

static int read_rule(struct rule *out, struct config_node *node)
{
    struct expression_references *references = &out->scope.references;
    read_scope(&out->scope, node);
    read_timing(out, node);
    bool controls = config_has(node, "on_off") || config_has(node, "pid");
    int error = controls ? settings_control(out, node) : read_condition(out, node);
    out->reads_clock = (out->when && expression_reads_clock(out->when)) ||
                       (out->until && expression_reads_clock(out->until));
    out->n_asked = reads_windows(references) ? references->n : 0;
    if (!error)
        error = read_pace(out, node);
    if (controls) {
        check_name(out, node);
        return error;
    }
    if (!error)
        error =
            settings_message(out, node, out->absent_ms > 0 ? "{device}: no value came" : "{rule}");
    if (!error)
        error = settings_actions(&out->on_active, node, "then", references);
    if (!error)
        error = settings_actions(&out->on_inactive, node, "else", references);
    if (!out->alerts && out->on_active.n == 0 && out->on_inactive.n == 0)
        config_problem(node, NULL, "does nothing: give it \"alert\": true, \"then\" or \"else\"");
    check_name(out, node);
    return error;
}

int settings_values(struct derived_value **out, size_t *n, struct config_node *node,
                    struct expression_references *references)
{
    struct config_node *values = config_object(node, "values");
    size_t length = config_length(values);
    if (length == 0)
        config_problem(node, "values", "needs at least one \"name\": \"expression\"");
    *out = calloc(length + 1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    int error = 0;
    for (; *n < length && !error; ++*n) {
        struct derived_value *value = &(*out)[*n];
        value->name = config_key(values, *n);
        if (!topic_name_valid(value->name))
            config_problem(values, value->name, "is no name: 1 to 64 of a-z, 0-9, _ and -");
        error = settings_expression(&value->expression, values, value->name, EXPRESSION_ANY,
                                    references);
    }
    return error;
}

static int read_derived(struct derived *out, struct config_node *node)
{
    read_scope(&out->scope, node);
    out->measurement = config_require_name(node, "measurement");
    return settings_values(&out->values, &out->n_values, node, &out->scope.references);
}

static int read_file(struct settings *settings, struct config_node *root)
{
    struct config_node *derived = config_array(root, "derived");
    struct config_node *rules = config_array(root, "rules");
    int error = 0;
    for (size_t i = 0; i < config_length(derived) && !error; i++)
        error = read_derived(&settings->derived[settings->n_derived++], config_item(derived, i));
    for (size_t i = 0; i < config_length(rules) && !error; i++) {
        struct rule *rule = &settings->rules[settings->n_rules++];
        error = read_rule(rule, config_item(rules, i));
        if (!error && rule->control.kind != CONTROL_NONE && rule->alerts)
            error =
                settings_watch(&settings->rules[settings->n_rules++], rule, config_item(rules, i));
    }
    return error;
}

static int allocate(struct settings *settings, struct config_node *root)
{
    size_t n_derived = config_length(config_array(root, "derived"));
    size_t n_rules = config_length(config_array(root, "rules"));
    for (size_t i = 0; i < settings->include.n; i++) {
        struct config_node *other = config_root(settings->include.configs[i]);
        n_derived += config_length(config_array(other, "derived"));
        n_rules += config_length(config_array(other, "rules"));
    }
    settings->derived = calloc(n_derived + 1, sizeof(*settings->derived));
    settings->rules = calloc(2 * n_rules + 1, sizeof(*settings->rules)); /* each may be watched */
    return settings->derived && settings->rules ? 0 : -ENOMEM;
}

static int read_all(struct settings *settings, struct config_node *root)
{
    settings->root = config_string(config_object(root, "mqtt"), "root", "iot");
    int error = zone_configure(&settings->zone, root, "UTC");
    if (!error)
        error = include_open(&settings->include, root);
    if (!error)
        error = allocate(settings, root);
    if (!error)
        error = read_file(settings, root);
    for (size_t i = 0; i < settings->include.n && !error; i++)
        error = read_file(settings, config_root(settings->include.configs[i]));
    for (size_t i = 0; i < settings->n_rules; i++)
        settings->rules[i].hours.zone = settings->zone;
    if (!error)
        error = settings_check(settings);
    if (!error)
        include_check(&settings->include, root);
    return error;
}

int settings_configure(void **out, struct config_node *root)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    if (!settings)
        return -ENOMEM;
    int error = read_all(settings, root);
    if (error) {
        settings_discard(settings);
        return error;
    }
    *out = settings;
    return 0;
}

void settings_free_values(struct derived_value *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        expression_close(values[i].expression);
    free(values);
}

static void free_rule(struct rule *rule)
{
    expression_references_free(&rule->scope.references);
    expression_close(rule->when);
    expression_close(rule->until);
    template_close(rule->message);
    if (rule->control.kind != CONTROL_WATCH)
        hours_free(&rule->hours);
    settings_free_control(&rule->control);
    settings_free_actions(&rule->on_active);
    settings_free_actions(&rule->on_inactive);
}

static void free_derived(struct derived *derived)
{
    expression_references_free(&derived->scope.references);
    settings_free_values(derived->values, derived->n_values);
}

void settings_discard(void *self)
{
    struct settings *settings = self;
    if (!settings)
        return;
    for (size_t i = 0; i < settings->n_derived; i++)
        free_derived(&settings->derived[i]);
    for (size_t i = 0; i < settings->n_rules; i++)
        free_rule(&settings->rules[i]);
    free(settings->derived);
    free(settings->rules);
    include_close(&settings->include);
    zone_close(settings->zone);
    free(settings);
}
