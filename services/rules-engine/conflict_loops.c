#include "conflict.h"
#include "overlap.h"

#include <errno.h>
#include <stdlib.h>

/* Who publishes readings, and which. */
struct writer {
    const struct scope *scope;
    const char *measurement;
    enum { UNSEEN, ON_PATH, SEEN } mark;
};

struct writers {
    struct writer *items;
    size_t n;
    size_t *path; /* of indices, from the first to the one that is looked at */
    size_t length;
    struct buffer *out;
    size_t n_loops;
};

static void add_actions(struct writers *writers, const struct rule *rule,
                        const struct actions *actions)
{
    for (size_t i = 0; i < actions->n; i++)
        if (actions->items[i].measurement)
            writers->items[writers->n++] = (struct writer){
                .scope = &rule->scope, .measurement = actions->items[i].measurement};
}

static int list_writers(struct writers *writers, const struct settings *settings)
{
    size_t n = settings->n_derived;
    for (size_t i = 0; i < settings->n_rules; i++)
        n += settings->rules[i].on_active.n + settings->rules[i].on_inactive.n;
    writers->items = calloc(n + 1, sizeof(*writers->items));
    writers->path = calloc(n + 1, sizeof(*writers->path));
    if (!writers->items || !writers->path)
        return -ENOMEM;
    for (size_t i = 0; i < settings->n_derived; i++)
        writers->items[writers->n++] = (struct writer){
            .scope = &settings->derived[i].scope, .measurement = settings->derived[i].measurement};
    for (size_t i = 0; i < settings->n_rules; i++) {
        add_actions(writers, &settings->rules[i], &settings->rules[i].on_active);
        add_actions(writers, &settings->rules[i], &settings->rules[i].on_inactive);
    }
    return 0;
}

/* The path from where it meets itself. */
static void say_loop(struct writers *writers, size_t again)
{
    size_t from = 0;
    if (++writers->n_loops > CONFLICT_MAX)
        return;
    while (writers->path[from] != again)
        from++;
    buffer_text(writers->out, "warning: loop: ");
    for (size_t i = from; i < writers->length; i++) {
        const struct writer *writer = &writers->items[writers->path[i]];
        buffer_format(writers->out, "%s publishes %s, read by ", writer->scope->name,
                      writer->measurement);
    }
    buffer_format(writers->out, "%s\n", writers->items[again].scope->name);
}

/* Depth first; whoever stands on the path and is met again closes a loop. */
static void follow(struct writers *writers, size_t index)
{
    struct writer *writer = &writers->items[index];
    writer->mark = ON_PATH;
    writers->path[writers->length++] = index;
    for (size_t i = 0; i < writers->n; i++) {
        struct writer *reader = &writers->items[i];
        if (reader->mark == SEEN ||
            !overlap_reads(reader->scope, writer->scope, writer->measurement))
            continue;
        if (reader->mark == ON_PATH)
            say_loop(writers, i);
        else
            follow(writers, i);
    }
    writers->length--;
    writer->mark = SEEN;
}

size_t conflict_loops(const struct settings *settings, struct buffer *out)
{
    struct writers writers = {.out = out};
    int error = list_writers(&writers, settings);
    for (size_t i = 0; i < writers.n && !error; i++)
        if (writers.items[i].mark == UNSEEN)
            follow(&writers, i);
    if (writers.n_loops > CONFLICT_MAX)
        buffer_format(out, "warning: %zu more loops\n", writers.n_loops - CONFLICT_MAX);
    free(writers.items);
    free(writers.path);
    out->failed |= error != 0;
    return writers.n_loops;
}
