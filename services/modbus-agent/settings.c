#include "settings.h"

#include "hash.h"
#include "settings_groups.h"
#include "settings_keep.h"
#include "settings_points.h"
#include "templates.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSES_MAX 1000 /* a descriptor each, below FD_SETSIZE, and some for all else */
#define DIGEST_PRIME 1099511628211u

/* Room for `n` of `size` bytes; never NULL for want of elements. */
static void *array_of(size_t n, size_t size)
{
    return calloc(n + 1, size);
}

static int configure_actuators(struct unit_settings *out, struct config_node *node)
{
    struct config_node *actuators = config_array(node, "actuators");
    size_t n = config_length(actuators);

    out->actuators = array_of(n, sizeof *out->actuators);
    out->outputs = array_of(n, sizeof *out->outputs);
    if (!out->actuators || !out->outputs)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct config_node *actuator = config_item(actuators, i);

        output_configure(&out->outputs[i], &out->actuators[i], actuator);
        settings_refuse_repeats(out->actuators[i].name, out->actuators[0].name,
                                sizeof *out->actuators, i, actuator);
        out->n_actuators++;
    }
    return 0;
}

/* A template that was read for a device before is not read again. */
static int take_groups(struct unit_settings *out, const struct endpoint *endpoint,
                       struct templates *templates, struct config_node *contents)
{
    struct groups_shared *known =
        templates_recall(templates, contents, groups_digest(endpoint, contents));
    int rc;

    if (known) {
        out->shared = groups_share(known);
    } else {
        rc = groups_configure(&out->shared, endpoint, contents);
        if (rc == 0)
            rc = templates_remember(templates, contents, out->shared);
        if (rc != 0)
            return rc;
    }
    out->groups = out->shared->items;
    out->n_groups = out->shared->n;
    return 0;
}

/* What is read and written: from the device itself or from its template. */
static int configure_contents(struct unit_settings *out, const struct endpoint *endpoint,
                              struct templates *templates, struct config_node *node)
{
    struct config_node *contents;
    int rc = templates_resolve(templates, node, &contents);

    if (rc == 0)
        rc = take_groups(out, endpoint, templates, contents);
    if (rc == 0)
        rc = configure_actuators(out, contents);
    if (config_has(contents, "watchdog"))
        feed_configure(&out->feed, config_object(contents, "watchdog"));
    if (rc == 0)
        rc = settings_check_conditions(out, contents);
    if (rc == 0 && out->shared->users == 1)
        templates_check(templates, node, contents);
    out->digest = config_digest(config_digest(HASH_START, node), contents);
    if (rc == 0)
        rc = unit_settings_own(out);
    templates_drop(templates);
    if (out->n_groups + out->n_actuators == 0)
        config_problem(node, NULL, "has neither groups to read nor actuators to write");
    return rc;
}

static int configure_unit(struct unit_settings *out, const struct endpoint *endpoint,
                          struct templates *templates, struct config_node *node)
{
    bool serial = endpoint->serial;
    struct config_node *breaker = config_object(node, "breaker");

    out->unit = (unsigned)config_integer(node, "unit", 1, serial ? 1 : 0, serial ? 247 : 255);
    if (out->unit > 247 && out->unit != 255)
        config_problem(node, "unit", "is from 0 to 247, or 255: 248 to 254 are reserved");
    snprintf(out->location, sizeof out->location, "%s", config_require_name(node, "location"));
    snprintf(out->device, sizeof out->device, "%s", config_require_name(node, "device"));
    out->breaker_failures = (unsigned)config_integer(breaker, "failures", 5, 1, 1000);
    out->breaker_open_ms = config_duration(breaker, "open", 60000, 100, 24 * 3600 * 1000);
    return configure_contents(out, endpoint, templates, node);
}

/* Whether a unit answers is asked once, however many devices it is shown as. */
static void share_breaker(struct bus_settings *bus, size_t i, struct config_node *node)
{
    struct unit_settings *unit = bus->units[i];
    const struct unit_settings *first;

    unit->breaker_of = 0;
    while (bus->units[unit->breaker_of]->unit != unit->unit)
        unit->breaker_of++;
    first = bus->units[unit->breaker_of];
    if (unit->breaker_failures != first->breaker_failures ||
        unit->breaker_open_ms != first->breaker_open_ms)
        config_problem(node, "breaker", "differs from that of devices[%zu], which is the same unit",
                       unit->breaker_of);
}

static void configure_endpoint(struct bus_settings *out, struct config_node *node)
{
    char error[128];

    out->url = config_require_string(node, "url");
    if (*out->url && endpoint_parse(&out->endpoint, out->url, error, sizeof error) != 0)
        config_problem(node, "url", "%s", error);
}

/* Both sides of tls:// show a certificate, so all three files are needed. */
static void configure_tls(struct bus_settings *out, struct config_node *node)
{
    static const char *const keys[] = {"ca_file", "cert_file", "key_file", "server_name"};

    for (size_t i = 0; !out->endpoint.tls && i < sizeof keys / sizeof keys[0]; i++)
        if (config_has(node, keys[i]))
            config_problem(node, keys[i], "is for tls://host:port only");
    if (!out->endpoint.tls)
        return;
    out->tls = (struct tls_options){
        .ca_file = config_require_string(node, "ca_file"),
        .cert_file = config_require_string(node, "cert_file"),
        .key_file = config_require_string(node, "key_file"),
        .server_name = config_string(node, "server_name", out->endpoint.name),
    };
}

static int configure_bus(struct bus_settings *out, struct templates *templates,
                         struct config_node *node)
{
    struct config_node *reconnect = config_object(node, "reconnect");
    struct config_node *devices = config_array(node, "devices");
    size_t n = config_length(devices);

    configure_endpoint(out, node);
    configure_tls(out, node);
    out->timeout_ms = config_duration(node, "timeout", 500, 5, 60000);
    out->connect_timeout_ms = config_duration(node, "connect_timeout", 3000, 10, 60000);
    out->backoff_first_ms = config_duration(reconnect, "first", 500, 1, 3600 * 1000);
    out->backoff_max_ms = config_duration(reconnect, "max", 30000, 1, 3600 * 1000);
    if (n == 0)
        config_problem(node, "devices", "a bus has at least one device");
    out->units = array_of(n, sizeof *out->units);
    if (!out->units)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct config_node *device = config_item(devices, i);
        int rc;

        out->units[i] = calloc(1, sizeof *out->units[i]);
        if (!out->units[i])
            return -ENOMEM;
        out->n_units++;
        rc = configure_unit(out->units[i], &out->endpoint, templates, device);
        if (rc != 0)
            return rc;
        share_breaker(out, i, device);
    }
    out->digest = config_digest(HASH_START, node);
    for (size_t i = 0; i < n; i++) /* their templates */
        out->digest = (out->digest ^ out->units[i]->digest) * DIGEST_PRIME;
    return bus_settings_own(out);
}

/* One line or socket an endpoint: two buses at one place would talk into each other. */
static bool same_place(const struct bus_settings *a, const struct bus_settings *b)
{
    return a->endpoint.serial == b->endpoint.serial && a->endpoint.name[0] &&
           strcmp(a->endpoint.name, b->endpoint.name) == 0 &&
           strcmp(a->endpoint.port, b->endpoint.port) == 0;
}

static bool same_device(const struct unit_settings *a, const struct unit_settings *b)
{
    return a->device[0] && strcmp(a->location, b->location) == 0 &&
           strcmp(a->device, b->device) == 0;
}

/* Problems between device `j` of bus `i` and all that come before it. */
static void compare_device(const struct settings *settings, size_t i, size_t j,
                           struct config_node *node)
{
    const struct unit_settings *unit = settings->buses[i]->units[j];

    for (size_t k = 0; k <= i; k++)
        for (size_t l = 0; l < (k == i ? j : settings->buses[k]->n_units); l++)
            if (same_device(unit, settings->buses[k]->units[l]))
                config_problem(node, "device", "%s/%s is already buses[%zu].devices[%zu]",
                               unit->location, unit->device, k, l);
}

static void compare_bus(const struct settings *settings, size_t i, struct config_node *node)
{
    struct config_node *devices = config_array(node, "devices");

    for (size_t k = 0; k < i; k++)
        if (same_place(settings->buses[i], settings->buses[k]))
            config_problem(node, "url", "is the place of buses[%zu]: put all devices there", k);
    for (size_t j = 0; j < settings->buses[i]->n_units; j++)
        compare_device(settings, i, j, config_item(devices, j));
}

int settings_read(struct settings **out, struct config_node *root)
{
    struct config_node *buses = config_array(root, "buses");
    size_t n = config_length(buses);
    struct settings *settings = calloc(1, sizeof *settings);
    struct templates templates = {0};
    int rc = 0;

    if (!settings || !(settings->buses = array_of(n, sizeof *settings->buses))) {
        free(settings);
        return -ENOMEM;
    }
    backlog_configure(&settings->backlog, root);
    templates.directory = config_string(root, "templates", "/etc/fieldline/devices");
    if (n == 0 || n > BUSES_MAX)
        config_problem(
            root, "buses", "from 1 to %d of them are meant%s", BUSES_MAX,
            n ? ": libmodbus waits for no descriptor from 1,024 on; give the others to a "
                "second agent with a service.instance of its own"
              : "");
    for (size_t i = 0; i < n && rc == 0; i++) {
        settings->buses[i] = calloc(1, sizeof *settings->buses[i]);
        if (!settings->buses[i]) {
            rc = -ENOMEM;
            break;
        }
        settings->n_buses++;
        rc = configure_bus(settings->buses[i], &templates, config_item(buses, i));
        if (rc == 0)
            compare_bus(settings, i, config_item(buses, i));
    }
    if (rc != 0) {
        settings_free(settings);
        templates_close(&templates);
        return rc;
    }
    templates_close(&templates);
    *out = settings;
    return 0;
}

void settings_free(struct settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < settings->n_buses; i++)
        bus_settings_free(settings->buses[i]);
    free(settings->buses);
    free(settings);
}
