#include "include.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int open_file(struct include *include, const char *path)
{
    struct config **configs = realloc(include->configs, (include->n + 1) * sizeof(struct config *));
    if (!configs)
        return -ENOMEM;
    include->configs = configs;
    int error = config_open(&configs[include->n], path);
    include->n += error == 0;
    return error;
}

static int open_pattern(struct include *include, struct config_node *root, const char *pattern)
{
    const char *own = config_name(root), *slash = strrchr(own, '/');
    char path[PATH_MAX];
    glob_t found;
    bool local = pattern[0] != '/' && slash;
    snprintf(path, sizeof(path), "%.*s%s", local ? (int)(slash + 1 - own) : 0, own, pattern);
    int error = glob(path, GLOB_ERR, NULL, &found);
    if (error == GLOB_NOSPACE)
        return -ENOMEM;
    if (error) {
        config_problem(root, "include", "there is no %s that could be read", path);
        return 0;
    }
    for (size_t i = 0; i < found.gl_pathc && !error; i++)
        error = open_file(include, found.gl_pathv[i]);
    globfree(&found);
    return error;
}

int include_open(struct include *include, struct config_node *root)
{
    struct config_node *patterns = config_array(root, "include");
    int error = 0;
    for (size_t i = 0; i < config_length(patterns) && !error; i++)
        error = open_pattern(include, root, config_string_at(patterns, i));
    return error;
}

static void tell(struct config *config, struct config_node *root)
{
    char *report = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&report, &size);
    if (!out)
        return;
    config_report(config, out);
    fclose(out);
    while (size && report[size - 1] == '\n')
        report[--size] = '\0';
    config_problem(root, "include", "%s:\n%s", config_name(config_root(config)), report);
    free(report);
}

void include_check(const struct include *include, struct config_node *root)
{
    for (size_t i = 0; i < include->n; i++)
        if (!config_check(include->configs[i]))
            tell(include->configs[i], root);
}

void include_close(struct include *include)
{
    for (size_t i = 0; i < include->n; i++)
        config_close(include->configs[i]);
    free(include->configs);
    *include = (struct include){0};
}
