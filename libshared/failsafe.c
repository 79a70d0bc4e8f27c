#include "failsafe.h"

#include <stdio.h>
#include <string.h>

#define LONGEST_MS (INT64_C(7) * 24 * 3600 * 1000)
#define SHORTEST_MS 100

static int64_t read_time(struct config_node *node, const char *key)
{
    return config_has(node, key) ? config_duration(node, key, 0, SHORTEST_MS, LONGEST_MS) : 0;
}

static void configure_inputs(struct failsafe_settings *out, struct config_node *node)
{
    struct config_node *inputs = config_array(node, "inputs");
    size_t n = config_length(inputs);

    if (n > FAILSAFE_INPUTS_MAX) {
        config_problem(node, "inputs", "has %zu names, %d at most", n, FAILSAFE_INPUTS_MAX);
        return;
    }
    for (size_t i = 0; i < n; i++)
        out->inputs[i] = config_string_at(inputs, i);
    out->n_inputs = n;
    if ((out->input_stale_ms > 0) != (n > 0))
        config_problem(node, "input_stale", "and \"inputs\" say something only together");
}

void failsafe_configure_missing(struct failsafe_settings *out, struct config_node *node)
{
    memset(out, 0, sizeof *out);
    out->broker_lost_ms = read_time(node, "broker_lost");
    out->controller_silent_ms = read_time(node, "controller_silent");
    out->input_stale_ms = read_time(node, "input_stale");
    configure_inputs(out, node);
    if (out->controller_silent_ms > 0)
        snprintf(out->controller, sizeof out->controller, "%s",
                 config_string(node, "controller", "rules-engine"));
    if (out->controller_silent_ms > 0 && !topic_name_valid(out->controller))
        config_problem(node, "controller", "is not the name of a service's instance");
}

void failsafe_configure(struct failsafe_settings *out, struct config_node *node)
{
    failsafe_configure_missing(out, node);
    out->start = config_bool(node, "start", false);
    out->exit = config_bool(node, "exit", false);
}

void failsafe_check(const struct failsafe_settings *settings, const struct fields *fields,
                    struct config_node *node)
{
    for (size_t i = 0; i < settings->n_inputs; i++)
        fields_require(fields, "", settings->inputs[i], node, "inputs");
}

void failsafe_own(struct failsafe_settings *settings, struct texts *texts)
{
    for (size_t i = 0; i < settings->n_inputs; i++)
        texts_own(texts, &settings->inputs[i]);
}

bool failsafe_is_used(const struct failsafe_settings *settings)
{
    return settings->start || settings->exit || settings->broker_lost_ms > 0 ||
           settings->controller_silent_ms > 0 || settings->input_stale_ms > 0;
}

void failsafe_init(struct failsafe *failsafe, const struct failsafe_settings *settings,
                   int64_t now_ms)
{
    *failsafe = (struct failsafe){.settings = settings, .start_ms = now_ms};
}

static bool is_over(int64_t since_ms, int64_t limit_ms, int64_t now_ms)
{
    return limit_ms > 0 && now_ms - since_ms >= limit_ms;
}

static bool is_stale(const struct failsafe *failsafe, const struct latest *latest, int64_t now_ms)
{
    const struct failsafe_settings *settings = failsafe->settings;

    for (size_t i = 0; i < settings->n_inputs; i++) {
        const struct latest_value *input = latest_find(latest, "", settings->inputs[i]);

        if (is_over(input ? input->at_ms : failsafe->start_ms, settings->input_stale_ms, now_ms))
            return true;
    }
    return false;
}

static bool appears(bool *before, bool now)
{
    bool appeared = now && !*before;

    *before = now;
    return appeared;
}

const char *failsafe_judge(struct failsafe *failsafe, const struct failsafe_signs *signs,
                           int64_t now_ms)
{
    const struct failsafe_settings *settings = failsafe->settings;
    const char *cause = NULL;

    if (appears(&failsafe->started, true) && settings->start)
        cause = "start";
    if (appears(&failsafe->controller_silent,
                is_over(signs->controller_ms, settings->controller_silent_ms, now_ms)))
        cause = "controller_silent";
    if (appears(&failsafe->input_stale, is_stale(failsafe, signs->latest, now_ms)))
        cause = "input_stale";
    if (appears(&failsafe->broker_lost,
                is_over(signs->broker_ms, settings->broker_lost_ms, now_ms)))
        cause = "broker_lost";
    return cause;
}

const char *failsafe_missing(const struct failsafe *failsafe)
{
    if (failsafe->broker_lost)
        return "broker_lost";
    if (failsafe->input_stale)
        return "input_stale";
    return failsafe->controller_silent ? "controller_silent" : NULL;
}
