#include "stats_settings.h"

#define SECOND_MS 1000
#define HOUR_MS (3600 * (int64_t)SECOND_MS)
#define DAY_MS (24 * HOUR_MS)

/* What may write need not be allowed to read: credentials for asking can be given. */
static void read_credentials(struct target_settings *store, struct config_node *node)
{
    const char *username = config_string(node, "username", NULL);
    const char *password = config_secret_file(node, "password_file");
    const char *token = config_secret_file(node, "token_file");

    if (token) {
        store->token = token;
        store->secret_file = config_secret_path(node, "token_file");
    }
    if (username) {
        store->token = NULL;
        store->username = username;
        store->password = password;
        store->secret_file = password ? config_secret_path(node, "password_file") : NULL;
    }
}

void stats_settings_read(struct stats_settings *out, struct config_node *node,
                         const struct target_settings *targets, size_t n_targets)
{
    bool enabled = config_bool(node, "enabled", true);

    out->serve = false;
    for (size_t i = 0; enabled && !out->serve && i < n_targets; i++)
        if (targets[i].kind != TARGET_FILE) {
            out->store = targets[i];
            out->serve = true;
        }
    read_credentials(&out->store, node);
    out->limits.range_ms = config_duration(node, "max_range", 366 * DAY_MS, HOUR_MS, 366 * DAY_MS);
    out->limits.rows = config_integer(node, "max_rows", 1000, 10, 10000);
    out->timeout_ms = config_duration(node, "timeout", 10 * SECOND_MS, 100, 300 * SECOND_MS);
    out->waiting_max = (int)config_integer(node, "max_waiting", 8, 1, 100);
}
