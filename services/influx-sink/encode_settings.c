#include "encode_settings.h"

#include <string.h>

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define FOREVER_MS (36500 * DAY_MS)

static void read_integers(struct mapping *mapping, struct config_node *node)
{
    size_t n = config_length(node);

    if (n > MAPPING_INTEGERS_MAX)
        config_problem(node, NULL, "more than %d patterns", MAPPING_INTEGERS_MAX);
    for (size_t i = 0; i < n && i < MAPPING_INTEGERS_MAX; i++) {
        const char *pattern = config_string_at(node, i);

        if (!pattern || !strchr(pattern, '/'))
            config_problem(node, NULL,
                           "pattern %zu: measurement/field as stored is meant, such as "
                           "\"production/units_*\"",
                           i + 1);
        else
            mapping->integers[mapping->n_integers++] = pattern;
    }
}

/* Members of an object of texts. Returns how many. */
static size_t read_pairs(struct mapping_pair *pairs, struct config_node *node)
{
    size_t n = config_length(node);

    if (n > MAPPING_PAIRS_MAX) {
        config_problem(node, NULL, "more than %d of them", MAPPING_PAIRS_MAX);
        n = MAPPING_PAIRS_MAX;
    }
    for (size_t i = 0; i < n; i++) {
        pairs[i].from = config_key(node, i);
        pairs[i].to = config_string(node, pairs[i].from, "");
        if (!pairs[i].to[0])
            config_problem(node, pairs[i].from, "is empty: a text is meant");
    }
    return n;
}

static void check_tags(const struct mapping_rule *rule, struct config_node *node)
{
    static const char *const usual[] = {"actuator", "device_id", "location", "rule"};

    for (size_t i = 0; i < rule->n_tags; i++)
        for (size_t j = 0; j < sizeof(usual) / sizeof(usual[0]); j++)
            if (strcmp(rule->tags[i].from, usual[j]) == 0)
                config_problem(node, usual[j],
                               "is a tag that points have already: name it "
                               "differently");
}

static void read_rule(struct mapping_rule *rule, struct config_node *node)
{
    struct config_node *tags = config_object(node, "tags");

    rule->filter = config_require_string(node, "topics");
    if (rule->filter[0] == '/')
        config_problem(node, "topics",
                       "'%s': a filter below the root is meant, such as "
                       "\"+/line_001/telemetry/+\"",
                       rule->filter);
    rule->measurement = config_string(node, "measurement", NULL);
    if (rule->measurement && !rule->measurement[0])
        config_problem(node, "measurement", "is empty: a name is meant");
    rule->n_tags = read_pairs(rule->tags, tags);
    check_tags(rule, tags);
    rule->n_fields = read_pairs(rule->fields, config_object(node, "fields"));
}

void encode_settings_read(struct encode_settings *out, struct config_node *node)
{
    struct config_node *rules = config_array(node, "rules");
    struct config_node *window = config_object(node, "window");
    size_t n = config_length(rules);

    read_integers(&out->mapping, config_array(node, "integers"));
    if (n > MAPPING_RULES_MAX)
        config_problem(rules, NULL, "more than %d rules", MAPPING_RULES_MAX);
    for (size_t i = 0; i < n && i < MAPPING_RULES_MAX; i++)
        read_rule(&out->mapping.rules[out->mapping.n_rules++], config_item(rules, i));
    out->past_ms = config_duration(window, "past", 3650 * DAY_MS, 0, FOREVER_MS);
    out->future_ms = config_duration(window, "future", DAY_MS, 0, FOREVER_MS);
}
