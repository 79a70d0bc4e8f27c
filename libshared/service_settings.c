#include "service_settings.h"

#include "topic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_MS 1000
#define DAY_MS (86400 * (int64_t)SECOND_MS)
#define MIB (1024 * 1024)

static const char *const log_levels[] = {"debug", "info", "warning", "error", NULL};

/* The environment wins over the file, for containers. */
static int override_mqtt(struct config *config)
{
    static const struct {
        const char *variable, *key;
    } overrides[] = {{"FIELDLINE_MQTT_URL", "url"},
                     {"FIELDLINE_MQTT_USERNAME", "username"},
                     {"FIELDLINE_MQTT_PASSWORD_FILE", "password_file"}};
    int error = 0;
    for (size_t i = 0; i < sizeof overrides / sizeof *overrides && error == 0; i++) {
        const char *text = getenv(overrides[i].variable);
        if (text && *text)
            error = config_override(config, "mqtt", overrides[i].key, text);
    }
    return error;
}

static void read_mqtt(struct service_settings *settings, struct config_node *node, bool connects)
{
    struct mqtt_options *mqtt = &settings->mqtt;
    mqtt->url = config_url(node, "url", "mqtt://localhost:1883");
    if (strncmp(mqtt->url, "mqtt://", 7) != 0 && strncmp(mqtt->url, "mqtts://", 8) != 0)
        config_problem(node, "url", "this is not mqtt://host:port or mqtts://host:port");
    mqtt->root = config_string(node, "root", "iot");
    if (!topic_root_valid(mqtt->root))
        config_problem(node, "root", "'%s' cannot begin a topic", mqtt->root);
    mqtt->username = config_string(node, "username", NULL);
    if (connects)
        mqtt->password = config_secret_file(node, "password_file");
    else
        config_string(node, "password_file", NULL);
    mqtt->ca_file = config_string(node, "ca_file", NULL);
    mqtt->cert_file = config_string(node, "cert_file", NULL);
    mqtt->key_file = config_string(node, "key_file", NULL);
    mqtt->keep_alive_ms =
        config_duration(node, "keep_alive", 30 * SECOND_MS, SECOND_MS, 3600 * SECOND_MS);
    mqtt->connect_timeout_ms =
        config_duration(node, "connect_timeout", 5 * SECOND_MS, SECOND_MS, 60 * SECOND_MS);
    struct config_node *backoff = config_object(node, "backoff");
    mqtt->backoff_first_ms = config_duration(backoff, "first", 500, 10, 60 * SECOND_MS);
    mqtt->backoff_max_ms =
        config_duration(backoff, "max", 30 * SECOND_MS, mqtt->backoff_first_ms, 3600 * SECOND_MS);
    mqtt->outbox_bytes =
        (size_t)config_size(node, "outbox", 8 * MIB, 64 * 1024, 1024 * (int64_t)MIB);
    mqtt->inbox_bytes = (size_t)config_size(node, "inbox", 8 * MIB, 64 * 1024, 1024 * (int64_t)MIB);
}

/* RUNTIME_DIRECTORY is systemd's: systemd.exec(5). */
static const char *default_health_file(struct service_settings *settings)
{
    const char *directory = getenv("RUNTIME_DIRECTORY");
    if (!directory || !*directory)
        return NULL;
    size_t size = sizeof settings->runtime_file;
    int length = snprintf(settings->runtime_file, size, "%s/health", directory);
    return length > 0 && (size_t)length < size ? settings->runtime_file : NULL;
}

static void read_service(struct service_settings *settings, const struct service_program *program,
                         struct config_node *node)
{
    settings->mqtt.instance = config_string(node, "instance", program->name);
    if (!topic_name_valid(settings->mqtt.instance))
        config_problem(node, "instance", "'%s' is not [a-z0-9_-]{1,64}", settings->mqtt.instance);
    settings->state_dir = settings->state_base = config_string(node, "state_dir", "");
    settings->health_file = config_string(node, "health_file", default_health_file(settings));
    settings->drain_ms = config_duration(node, "drain", 5 * SECOND_MS, 0, 300 * SECOND_MS);
}

int service_settings_load(struct service_settings **out, const struct service_program *program,
                          const char *path, bool connects)
{
    struct service_settings *settings = calloc(1, sizeof *settings);
    if (!settings)
        return -ENOMEM;
    int error = config_open(&settings->config, path);
    if (error == 0)
        error = override_mqtt(settings->config);
    if (error == 0) {
        struct config_node *root = config_root(settings->config);
        settings->mqtt.version = FIELDLINE_VERSION;
        settings->mqtt.session_expiry_ms = program->session_expiry_ms;
        settings->mqtt.gather_ms = program->gather_ms;
        read_mqtt(settings, config_object(root, "mqtt"), connects);
        read_service(settings, program, config_object(root, "service"));
        settings->log_level = (enum log_level)config_choice(config_object(root, "log"), "level",
                                                            log_levels, LOG_LEVEL_INFO);
        error = program->configure(&settings->own, root);
    }
    if (error != 0) {
        service_settings_free(settings, program);
        return error;
    }
    *out = settings;
    return 0;
}

int service_settings_take_part(struct service_settings *settings, const char *part)
{
    int index = (int)strcspn(part, "/");
    const char *n = part[index] ? part + index + 1 : "";
    if (asprintf(&settings->part_instance, "%s-%.*sof%s", settings->mqtt.instance, index, part, n) <
        0) {
        settings->part_instance = NULL;
        return -ENOMEM;
    }
    settings->mqtt.instance = settings->part_instance;
    if (!topic_name_valid(settings->mqtt.instance))
        return -EINVAL;
    if (!settings->state_base[0])
        return 0;
    if (asprintf(&settings->part_dir, "%s/%.*sof%s", settings->state_base, index, part, n) < 0) {
        settings->part_dir = NULL;
        return -ENOMEM;
    }
    settings->state_dir = settings->part_dir;
    return 0;
}

void service_settings_free(struct service_settings *settings, const struct service_program *program)
{
    if (!settings)
        return;
    if (settings->own)
        program->discard(settings->own);
    config_close(settings->config);
    free(settings->part_instance);
    free(settings->part_dir);
    free(settings);
}
