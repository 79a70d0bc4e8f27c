#include "config.h"

#include "buffer.h"
#include "config_file.h"
#include "config_text.h"
#include "config_tree.h"
#include "jsonr_scan.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (4 * 1024 * 1024) /* bytes of a configuration */

/* A problem with the file itself; `where` is its name, with line and column where there are any. */
__attribute__((format(printf, 3, 4))) static void
file_problem(struct config *config, const char *where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    config_strings_format(&config->problems, where, format, arguments);
    va_end(arguments);
}

static void problem_at(struct config *config, const char *text, size_t offset, const char *what)
{
    struct config_position position = config_text_position(text, offset);
    struct buffer where = {0};
    buffer_format(&where, "%s:%zu:%zu", config->name, position.line, position.column);
    file_problem(config, buffer_string(&where), "%s", what);
    buffer_free(&where);
}

/* Whether no object has a key twice; where one does, that is a problem. */
static bool keys_unique(struct config *config, const char *text)
{
    size_t length;
    long offset = config_text_find_duplicate(text, &length);
    if (offset < 0) {
        config->no_memory |= offset == -ENOMEM;
        return true;
    }
    char what[128];
    snprintf(what, sizeof what, "the key \"%.*s\" stands twice in one object",
             length < 64 ? (int)length : 64, text + offset);
    problem_at(config, text, (size_t)offset, what);
    return false;
}

/* Blanks the comments in `text` on the way. */
static void parse(struct config *config, char *text, size_t size)
{
    struct jsonr_scan scan = {.text = text, .size = size};
    char error[128];
    size_t offset;
    if (!config_text_blank_comments(text, &offset))
        problem_at(config, text, offset, "a comment or a string that does not end");
    else if (jsonr_scan(&scan))
        problem_at(config, text, scan.at, scan.problem);
    else if (keys_unique(config, text) &&
             config_tree_parse(config->root, text, size, error, sizeof error))
        file_problem(config, config->name, "%s", error);
}

static struct config *config_new(const char *name)
{
    struct config *config = calloc(1, sizeof *config);
    if (!config)
        return NULL;
    config->name = strdup(name);
    config->root = config_tree_open(config);
    if (config->name && config->root)
        return config;
    config_close(config);
    return NULL;
}

int config_open(struct config **out, const char *path)
{
    struct config *config = config_new(path);
    if (!config)
        return -ENOMEM;
    struct buffer text = {0};
    buffer_text(&text, "");
    int error = config_file_read(&text, path, FILE_MAX);
    if (error == 0)
        parse(config, text.data, text.size);
    else
        file_problem(config, path, "cannot be read: %s", strerror(-error));
    buffer_free(&text);
    *out = config;
    return 0;
}

int config_open_text(struct config **out, const char *name, const char *text)
{
    struct config *config = config_new(name);
    char *copy = strdup(text);
    if (!config || !copy) {
        config_close(config);
        free(copy);
        return -ENOMEM;
    }
    parse(config, copy, strlen(copy));
    free(copy);
    *out = config;
    return 0;
}

void config_close(struct config *config)
{
    if (!config)
        return;
    config_tree_close(config->root);
    config_strings_free(&config->problems);
    config_strings_free(&config->kept);
    free(config->name);
    free(config);
}

struct config_node *config_root(struct config *config)
{
    return config->root;
}

static bool out_of_memory(const struct config *config)
{
    return config->no_memory || config->problems.failed || config->kept.failed;
}

bool config_check(struct config *config)
{
    if (!config->checked)
        config_tree_check(config->root);
    config->checked = true;
    return config->problems.n == 0 && !out_of_memory(config);
}

void config_report(const struct config *config, FILE *out)
{
    for (size_t i = 0; i < config->problems.n; i++)
        fprintf(out, "%s\n", config->problems.items[i]);
    if (out_of_memory(config))
        fprintf(out, "%s: no memory to read it\n", config->name);
}

void config_forget(struct config *config, const char *key)
{
    config_tree_forget(config->root, key);
}
