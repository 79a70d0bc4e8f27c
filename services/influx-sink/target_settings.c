#include "target_settings.h"

#include "topic.h"

#include <string.h>

#define SECOND_MS 1000
#define HOUR_MS (3600 * (int64_t)SECOND_MS)
#define KIB 1024
#define MIB (1024 * (int64_t)KIB)
#define TIB (1024 * 1024 * MIB)

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

/* To a store on the same machine smaller posts save nothing, and both have to work for them. */
static bool is_here(const char *url)
{
    static const char *const hosts[] = {"localhost", "127.", "[::1]"};
    const char *host = strstr(url, "://");

    for (size_t i = 0; host && i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (strncmp(host + 3, hosts[i], strlen(hosts[i])) == 0)
            return true;
    return false;
}

static void read_http(struct target_settings *target, struct config_node *node)
{
    target->ca_file = config_string(node, "ca_file", NULL);
    target->gzip = config_bool(node, "gzip", !is_here(target->url));
    target->connect_timeout_ms =
        config_duration(node, "connect_timeout", 5 * SECOND_MS, 1, HOUR_MS);
    target->timeout_ms = config_duration(node, "timeout", 30 * SECOND_MS, 1, HOUR_MS);
}

/* A token or password, and where it is from. */
static const char *read_secret(struct target_settings *target, struct config_node *node,
                               const char *key)
{
    const char *secret = config_secret_file(node, key);

    target->secret_file = secret ? config_secret_path(node, key) : NULL;
    return secret;
}

static void read_influxdb1(struct target_settings *target, struct config_node *node)
{
    target->database = config_require_string(node, "database");
    target->retention_policy = config_string(node, "retention_policy", "");
    target->username = config_string(node, "username", NULL);
    target->password = read_secret(target, node, "password_file");
    read_http(target, node);
}

static void read_influxdb2(struct target_settings *target, struct config_node *node)
{
    target->org = config_require_string(node, "org");
    target->bucket = config_require_string(node, "bucket");
    target->token = read_secret(target, node, "token_file");
    read_http(target, node);
}

static void read_influxdb3(struct target_settings *target, struct config_node *node)
{
    target->database = config_require_string(node, "database");
    target->retention_policy = "";
    target->token = read_secret(target, node, "token_file");
    read_http(target, node);
}

static void read_file(struct target_settings *target, struct config_node *node)
{
    target->max_bytes = config_size(node, "max_size", 0, 0, TIB);
    target->keep = (unsigned)config_integer(node, "keep", 4, 1, 10000);
}

void target_settings_read(struct target_settings *target, struct config_node *node,
                          const char *usual_name)
{
    static const char *const kind_names[] = {"influxdb2", "influxdb1", "influxdb3", "file", NULL};
    static void (*const read_kind[])(struct target_settings *,
                                     struct config_node *) = {[TARGET_INFLUXDB2] = read_influxdb2,
                                                              [TARGET_INFLUXDB1] = read_influxdb1,
                                                              [TARGET_INFLUXDB3] = read_influxdb3,
                                                              [TARGET_FILE] = read_file};

    target->kind = (enum target_kind)config_require_choice(node, "kind", kind_names);
    target->name = config_string(node, "name", usual_name);
    if (!topic_name_valid(target->name))
        config_problem(node, "name", "'%s' is no name: 1 to 64 of a-z, 0-9, '_' and '-' are meant",
                       target->name);
    target->url = config_url(node, "url", "");
    check_url(node, target);
    read_kind[target->kind](target, node);
}
