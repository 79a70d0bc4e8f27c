#include "settings_groups.h"

#include "cost.h"
#include "hash.h"
#include "settings_points.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_POINTS_MAX READING_FIELDS_MAX /* one reading carries them all */

void settings_refuse_repeats(const char *name, const char *others, size_t stride, size_t n_others,
                             struct config_node *node)
{
    for (size_t i = 0; i < n_others && *name; i++)
        if (strcmp(name, others + i * stride) == 0)
            config_problem(node, NULL, "\"%s\" is the name of another one before it", name);
}

static int plan_group(struct group_settings *out, struct config_node *node)
{
    struct span *spans = calloc(out->n_points + 1, sizeof *spans);
    int rc;

    if (!spans)
        return -ENOMEM;
    for (size_t i = 0; i < out->n_points; i++)
        spans[i] = out->points[i].span;
    rc = plan_build(&out->plan, spans, out->n_points, &out->limits);
    free(spans);
    if (rc == -E2BIG)
        config_problem(node, NULL, "a point is longer than the %u registers the device takes",
                       out->limits.max_registers);
    return rc == -ENOMEM ? rc : 0;
}

static void configure_band(struct report_band *out, const struct report_band *fallback,
                           struct config_node *node)
{
    out->absolute = config_number(node, "deadband", fallback->absolute);
    out->percent = config_number(node, "deadband_percent", fallback->percent);
    if (out->absolute < 0)
        config_problem(node, "deadband", "must not be negative");
    if (out->percent < 0)
        config_problem(node, "deadband_percent", "must not be negative");
}

/* Reads "publish", "heartbeat"; returns the dead-band of points that have none of their own. */
static struct report_band configure_report(struct group_settings *out, struct config_node *node)
{
    static const char *const words[] = {"always", "on_change", NULL};
    const struct report_band none = {0, 0};
    struct report_band band;

    out->on_change = config_choice(node, "publish", words, 0) == 1;
    out->heartbeat_ms = config_duration(node, "heartbeat", 60000, 1, 7 * 24 * 3600 * 1000);
    configure_band(&band, &none, node);
    return band;
}

static int configure_group(struct group_settings *out, const struct plan_limits *limits,
                           struct config_node *node)
{
    struct config_node *points = config_array(node, "points");
    size_t n = config_length(points);
    struct report_band band;

    snprintf(out->measurement, sizeof out->measurement, "%s",
             config_require_name(node, "measurement"));
    out->period_ms = config_duration(node, "period", 1000, 1, 24 * 3600 * 1000);
    band = configure_report(out, node);
    if (n == 0 || n > GROUP_POINTS_MAX) {
        config_problem(node, "points", "a group has 1 to %d points", GROUP_POINTS_MAX);
        return 0;
    }
    out->points = calloc(n + 1, sizeof *out->points);
    if (!out->points)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        struct config_node *point = config_item(points, i);

        if (group_point_configure(&out->points[i], point) != 0)
            return -ENOMEM;
        configure_band(&out->points[i].band, &band, point);
        out->points[i].first_cell = out->n_cells;
        out->n_cells += out->points[i].span.count;
        settings_refuse_repeats(out->points[i].point.name, out->points[0].point.name,
                                sizeof *out->points, i, point);
        out->n_points++;
    }
    out->limits = *limits;
    return plan_group(out, node);
}

/* Where the file says nothing, what the wire makes worth while is read along. */
static void configure_limits(struct plan_limits *out, const struct endpoint *endpoint,
                             struct config_node *node)
{
    *out = (struct plan_limits){
        .max_gap_registers = cost_worthwhile_gap(endpoint, TABLE_HOLDING),
        .max_gap_bits = cost_worthwhile_gap(endpoint, TABLE_COIL),
        .max_registers = (unsigned)config_integer(node, "max_registers", TABLE_REGISTERS_MAX, 1,
                                                  TABLE_REGISTERS_MAX),
        .max_bits = (unsigned)config_integer(node, "max_bits", TABLE_BITS_MAX, 1, TABLE_BITS_MAX),
    };
    if (!config_has(node, "max_gap"))
        return;
    out->max_gap_registers = (unsigned)config_integer(node, "max_gap", 0, 0, TABLE_BITS_MAX);
    out->max_gap_bits = out->max_gap_registers;
}

uint64_t groups_digest(const struct endpoint *endpoint, const struct config_node *node)
{
    uint64_t wire = cost_worthwhile_gap(endpoint, TABLE_HOLDING) * (uint64_t)65537 +
                    cost_worthwhile_gap(endpoint, TABLE_COIL);

    return config_digest(HASH_START ^ wire, node);
}

static void own_texts(struct groups_shared *groups)
{
    for (size_t i = 0; i < groups->n; i++)
        for (size_t j = 0; j < groups->items[i].n_points; j++) {
            struct group_point *point = &groups->items[i].points[j];

            texts_own(&groups->texts, &point->point.unit);
            for (size_t k = 0; k < point->labels.n; k++)
                texts_own(&groups->texts, &point->labels.items[k].text);
        }
}

static int configure_groups(struct groups_shared *out, const struct endpoint *endpoint,
                            struct config_node *node)
{
    struct config_node *groups = config_array(node, "groups");
    struct plan_limits limits;

    configure_limits(&limits, endpoint, node);
    out->items = calloc(config_length(groups) + 1, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    for (size_t i = 0; i < config_length(groups); i++) {
        struct config_node *group = config_item(groups, i);
        int rc = configure_group(&out->items[i], &limits, group);

        out->n++;
        if (rc != 0)
            return rc;
        settings_refuse_repeats(out->items[i].measurement, out->items[0].measurement,
                                sizeof *out->items, i, group);
    }
    own_texts(out);
    return out->texts.failed ? -ENOMEM : 0;
}

int groups_configure(struct groups_shared **out, const struct endpoint *endpoint,
                     struct config_node *node)
{
    struct groups_shared *groups = calloc(1, sizeof *groups);
    int rc;

    if (!groups)
        return -ENOMEM;
    groups->users = 1;
    groups->digest = groups_digest(endpoint, node);
    rc = configure_groups(groups, endpoint, node);
    if (rc != 0) {
        groups_release(groups);
        return rc;
    }
    *out = groups;
    return 0;
}

struct groups_shared *groups_share(struct groups_shared *groups)
{
    groups->users++;
    return groups;
}

void groups_release(struct groups_shared *groups)
{
    if (!groups || --groups->users > 0)
        return;
    for (size_t i = 0; i < groups->n; i++) {
        for (size_t j = 0; j < groups->items[i].n_points; j++)
            labels_free(&groups->items[i].points[j].labels);
        plan_free(&groups->items[i].plan);
        free(groups->items[i].points);
    }
    free(groups->items);
    texts_free(&groups->texts);
    free(groups);
}
