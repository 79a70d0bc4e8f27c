#include "settings.h"

#include "share.h"
#include "target_settings.h"
#include "topic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_MS 1000
#define HOUR_MS (3600 * (int64_t)SECOND_MS)
#define DAY_MS (24 * HOUR_MS)
#define KIB 1024
#define MIB (1024 * (int64_t)KIB)
#define GIB (1024 * MIB)

static void read_filters(struct settings *settings, struct config_node *root)
{
    static const char *const usual[] = {"+/+/telemetry/+", "+/+/result/+", "+/+/alert/+",
                                        "_service/+/health"};
    struct config_node *node = config_array(root, "topics");
    size_t n = config_length(node);

    if (n == 0)
        memcpy(settings->filters, usual, sizeof(usual));
    if (n > SETTINGS_FILTERS_MAX)
        config_problem(node, NULL, "more than %d filters", SETTINGS_FILTERS_MAX);
    for (size_t i = 0; i < n && i < SETTINGS_FILTERS_MAX; i++) {
        int prefix;

        settings->filters[i] = config_string_at(node, i);
        if (!settings->filters[i] || !settings->filters[i][0] || settings->filters[i][0] == '/')
            config_problem(node, NULL,
                           "filter %zu: a filter below the root is meant, such as \"%s\"", i + 1,
                           usual[0]);
        else if (share_is(settings->filters[i], &prefix) && prefix == 0)
            config_problem(node, NULL,
                           "filter %zu: \"$share/GROUP/FILTER\" is meant, such as "
                           "\"$share/sinks/%s\"",
                           i + 1, usual[0]);
    }
}

/* `name` in service.state_dir where the file does not say. */
static const char *read_path(struct settings *settings, struct config_node *node, const char *key,
                             const char *state_dir, const char *name)
{
    const char *path = config_string(node, key, "");
    char **owned = settings->owned[0] ? &settings->owned[1] : &settings->owned[0];

    if (path[0])
        return path;
    if (!state_dir[0]) {
        config_problem(node, key, "is missing: give it, or service.state_dir for its default");
        return "";
    }
    if (asprintf(owned, "%s/%s", state_dir, name) < 0)
        *owned = NULL;
    return *owned ? *owned : "";
}

static void read_spool(struct settings *settings, struct config_node *node, const char *state_dir)
{
    settings->spool_directory = read_path(settings, node, "directory", state_dir, "spool");
    settings->spool_max_bytes = config_size(node, "max_size", GIB, 4 * MIB, 1024 * GIB);
    settings->spool_max_age_ms = config_duration(node, "max_age", 0, 0, 3650 * DAY_MS);
    settings->segment_bytes = config_size(node, "segment_size", 16 * MIB, MIB, GIB);
    settings->sync_ms = config_duration(node, "sync_every", 50, 1, 60 * SECOND_MS);
    settings->sync_each = config_bool(node, "sync_each", false);
}

static void read_batch(struct settings *settings, struct config_node *node)
{
    settings->batch_points = (size_t)config_integer(node, "points", 5000, 1, 100000);
    settings->batch_age_ms = config_duration(node, "age", SECOND_MS, 0, 60 * SECOND_MS);
}

static void read_retry(struct settings *settings, struct config_node *node)
{
    settings->backoff_first_ms = config_duration(node, "first", 500, 1, 60 * SECOND_MS);
    settings->backoff_max_ms =
        config_duration(node, "max", 30 * SECOND_MS, settings->backoff_first_ms, HOUR_MS);
    settings->breaker_threshold = (unsigned)config_integer(node, "breaker_failures", 5, 1, 1000);
    settings->breaker_open_ms = config_duration(node, "breaker_open", 10 * SECOND_MS, 1, HOUR_MS);
}

static bool is_named_before(const struct settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->n_targets; i++)
        if (strcmp(settings->targets[i].name, name) == 0)
            return true;
    return false;
}

static void read_targets(struct settings *settings, struct config_node *root)
{
    struct config_node *node = config_array(root, "targets");
    size_t n = config_length(node);

    if (n == 0 || n > SETTINGS_TARGETS_MAX)
        config_problem(root, "targets",
                       "1 to %d targets are meant, such as [{\"kind\": \"influxdb2\", \"url\": "
                       "\"http://localhost:8086\", …}]",
                       SETTINGS_TARGETS_MAX);
    for (size_t i = 0; i < n && i < SETTINGS_TARGETS_MAX; i++) {
        struct target_settings *target = &settings->targets[i];
        struct config_node *item = config_item(node, i);

        target_settings_read(target, item, SETTINGS_TARGET_USUAL);
        if (is_named_before(settings, target->name))
            config_problem(item, "name", "'%s' is the name of another target already",
                           target->name);
        settings->readers[i] = target->name;
        settings->n_targets++;
    }
}

int settings_read(struct settings **out, struct config_node *root)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    struct config_node *dead = config_object(root, "dead_letters");
    const char *state_dir;

    if (!settings)
        return -ENOMEM;
    state_dir = config_string(config_object(root, "service"), "state_dir", "");
    settings->root = config_string(config_object(root, "mqtt"), "root", "iot");
    read_filters(settings, root);
    settings->session_expiry_ms =
        config_duration(root, "session_expiry", 7 * DAY_MS, 60 * SECOND_MS, 365 * DAY_MS);
    read_spool(settings, config_object(root, "spool"), state_dir);
    read_batch(settings, config_object(root, "batch"));
    read_retry(settings, config_object(root, "retry"));
    settings->dead_path = read_path(settings, dead, "file", state_dir, "dead-letters.jsonl");
    settings->dead_max_bytes = config_size(dead, "max_size", 16 * MIB, 4 * KIB, GIB);
    settings->types_directory = state_dir[0] ? state_dir : settings->spool_directory;
    encode_settings_read(&settings->encode, config_object(root, "encode"));
    read_targets(settings, root);
    settings->retention_ms =
        config_duration(config_object(root, "setup"), "retention", 0, HOUR_MS, 100 * 365 * DAY_MS);
    stats_settings_read(&settings->stats, config_object(root, "query"), settings->targets,
                        settings->n_targets);
    *out = settings;
    return 0;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    free(settings->owned[0]);
    free(settings->owned[1]);
    free(settings);
}
