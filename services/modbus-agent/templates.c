#include "templates.h"

#include "topic.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

int templates_resolve(struct templates *templates, struct config_node *device,
                      struct config_node **out)
{
    static const char *const theirs[] = {"groups", "actuators", "max_registers", "max_bits",
                                         "max_gap"};
    const char *name = config_string(device, "template", NULL);
    char path[PATH_MAX];
    struct config *config;

    *out = device;
    if (!name)
        return 0;
    if (!topic_name_valid(name)) {
        config_problem(device, "template", "is no name of a-z, 0-9, _ and -");
        return 0;
    }
    for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++)
        if (config_has(device, theirs[i]))
            config_problem(device, theirs[i], "is the template's to say");
    snprintf(path, sizeof path, "%.3000s/%s.json", templates->directory, name);
    if (config_open(&config, path) != 0)
        return -ENOMEM;
    templates->config = config;
    *out = config_root(config);
    return 0;
}

static bool is_of_file(const struct templates *templates, const struct config_node *resolved)
{
    return templates->config && config_root(templates->config) == resolved;
}

void templates_check(struct templates *templates, struct config_node *device,
                     const struct config_node *resolved)
{
    struct config *config = templates->config;
    char *report = NULL;
    size_t size = 0;
    FILE *out;

    if (!is_of_file(templates, resolved) || config_check(config))
        return;
    out = open_memstream(&report, &size);
    if (!out)
        return;
    config_report(config, out);
    fclose(out);
    while (size && report[size - 1] == '\n')
        report[--size] = '\0';
    config_problem(device, "template", "%s", report);
    free(report);
}

void templates_drop(struct templates *templates)
{
    config_close(templates->config);
    templates->config = NULL;
}

struct groups_shared *templates_recall(const struct templates *templates,
                                       const struct config_node *resolved, uint64_t digest)
{
    for (size_t i = 0; is_of_file(templates, resolved) && i < templates->n_known; i++)
        if (templates->known[i]->digest == digest)
            return templates->known[i];
    return NULL;
}

int templates_remember(struct templates *templates, const struct config_node *resolved,
                       struct groups_shared *groups)
{
    struct groups_shared **known;

    if (!is_of_file(templates, resolved))
        return 0;
    known = realloc(templates->known, (templates->n_known + 1) * sizeof(*known));
    if (!known)
        return -ENOMEM;
    templates->known = known;
    known[templates->n_known++] = groups;
    return 0;
}

void templates_close(struct templates *templates)
{
    templates_drop(templates);
    free(templates->known);
    *templates = (struct templates){0};
}
