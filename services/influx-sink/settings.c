#include "settings.h"

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

static const char *const kind_names[] = {"influxdb2", "influxdb1", "file", NULL};

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
        settings->filters[i] = config_string_at(node, i);
        if (!settings->filters[i] || !settings->filters[i][0] || settings->filters[i][0] == '/')
            config_problem(node, NULL,
                           "filter %zu: a filter below the root is meant, such as \"%s\"", i + 1,
                           usual[0]);
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
    settings->segment_bytes = config_size(node, "segment_size", 16 * MIB, MIB, GIB);
    settings->sync_ms = config_duration(node, "sync_every", 50, 1, 60 * SECOND_MS);
    settings->sync_each = config_bool(node, "sync_each", false);
}

static void read_batch(struct settings *settings, struct config_node *node)
{
    settings->batch_points = (size_t)config_integer(node, "points", 5000, 1, 100000);
    settings->batch_age_ms = config_duration(node, "age", 100, 0, 60 * SECOND_MS);
}

static void read_retry(struct settings *settings, struct config_node *node)
{
    settings->backoff_first_ms = config_duration(node, "first", 500, 1, 60 * SECOND_MS);
    settings->backoff_max_ms =
        config_duration(node, "max", 30 * SECOND_MS, settings->backoff_first_ms, HOUR_MS);
    settings->breaker_threshold = (unsigned)config_integer(node, "breaker_failures", 5, 1, 1000);
    settings->breaker_open_ms = config_duration(node, "breaker_open", 10 * SECOND_MS, 1, HOUR_MS);
}

static void check_url(struct config_node *node, const struct target_settings *target)
{
    const char *url = target->url;

    if (target->kind == TARGET_FILE) {
        if (strncmp(url, "file:///", 8) != 0)
            config_problem(node, "url", "'%s' is not file:///absolute/path", url);
    } else if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0) {
        config_problem(node, "url", "'%s' is not http://host:port or https://host:port", url);
    } else if (strchr(url, '?')) {
        config_problem(node, "url",
                       "'%s' has a query: organisation, bucket and database have keys "
                       "of their own here",
                       url);
    }
}

static void read_target(struct target_settings *target, struct config_node *node)
{
    target->kind = (enum target_kind)config_require_choice(node, "kind", kind_names);
    target->url = config_url(node, "url", "");
    check_url(node, target);
    if (target->kind == TARGET_FILE)
        return;
    if (target->kind == TARGET_INFLUXDB2) {
        target->org = config_require_string(node, "org");
        target->bucket = config_require_string(node, "bucket");
        target->token = config_secret_file(node, "token_file");
    } else {
        target->database = config_require_string(node, "database");
        target->retention_policy = config_string(node, "retention_policy", "");
        target->username = config_string(node, "username", NULL);
        target->password = config_secret_file(node, "password_file");
    }
    target->ca_file = config_string(node, "ca_file", NULL);
    target->gzip = config_bool(node, "gzip", true);
    target->connect_timeout_ms =
        config_duration(node, "connect_timeout", 5 * SECOND_MS, 1, HOUR_MS);
    target->timeout_ms = config_duration(node, "timeout", 30 * SECOND_MS, 1, HOUR_MS);
}

/* An array, so that a second target will be one more element and not another file format. */
static void read_targets(struct settings *settings, struct config_node *root)
{
    struct config_node *node = config_array(root, "targets");

    if (config_length(node) == 1)
        read_target(&settings->target, config_item(node, 0));
    else
        config_problem(root, "targets",
                       "exactly one target is meant, such as [{\"kind\": "
                       "\"influxdb2\", \"url\": \"http://localhost:8086\", …}]");
}

int settings_read(struct settings **out, struct config_node *root)
{
    struct settings *settings = calloc(1, sizeof(*settings));
    struct config_node *dead = config_object(root, "dead_letters");
    const char *state_dir;

    if (!settings)
        return -ENOMEM;
    state_dir = config_string(config_object(root, "service"), "state_dir", "");
    read_filters(settings, root);
    settings->session_expiry_ms =
        config_duration(root, "session_expiry", 7 * DAY_MS, 60 * SECOND_MS, 365 * DAY_MS);
    read_spool(settings, config_object(root, "spool"), state_dir);
    read_batch(settings, config_object(root, "batch"));
    read_retry(settings, config_object(root, "retry"));
    settings->dead_path = read_path(settings, dead, "file", state_dir, "dead-letters.jsonl");
    settings->dead_max_bytes = config_size(dead, "max_size", 16 * MIB, 4 * KIB, GIB);
    read_targets(settings, root);
    stats_settings_read(&settings->stats, config_object(root, "query"), &settings->target, 1);
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
