#include "hearing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* `a.b` may be field b of a device a. */
static void add_scope(struct hearing *hearing, const struct scope *scope)
{
    for (size_t i = 0; i < scope->references.n; i++) {
        const struct expression_reference *reference = &scope->references.items[i];
        const char *name = reference->device[0] ? reference->device : reference->measurement;
        if (name[0])
            hearing->names[hearing->n++] = name;
    }
}

static void add_actions(struct hearing *hearing, const struct actions *actions)
{
    for (size_t i = 0; i < actions->n; i++)
        if (actions->items[i].device)
            hearing->names[hearing->n++] = actions->items[i].device;
}

static size_t count_all(const struct settings *settings)
{
    size_t n = 0;
    for (size_t i = 0; i < settings->n_derived; i++)
        n += settings->derived[i].scope.references.n;
    for (size_t i = 0; i < settings->n_rules; i++)
        n += settings->rules[i].scope.references.n + settings->rules[i].on_active.n +
             settings->rules[i].on_inactive.n;
    return n;
}

static void drop_repeated(struct hearing *hearing)
{
    size_t kept = 0;
    qsort(hearing->names, hearing->n, sizeof(*hearing->names), by_name);
    for (size_t i = 0; i < hearing->n; i++)
        if (kept == 0 || strcmp(hearing->names[kept - 1], hearing->names[i]) != 0)
            hearing->names[kept++] = hearing->names[i];
    hearing->n = kept;
}

int hearing_open(struct hearing *out, const struct settings *settings)
{
    *out = (struct hearing){.shard = &settings->shard};
    if (settings->shard.n <= 1)
        return 0;
    out->names = malloc((count_all(settings) + 1) * sizeof(*out->names));
    if (!out->names)
        return -ENOMEM;
    for (size_t i = 0; i < settings->n_derived; i++)
        add_scope(out, &settings->derived[i].scope);
    for (size_t i = 0; i < settings->n_rules; i++) {
        add_scope(out, &settings->rules[i].scope);
        add_actions(out, &settings->rules[i].on_active);
        add_actions(out, &settings->rules[i].on_inactive);
    }
    drop_repeated(out);
    return 0;
}

void hearing_close(struct hearing *hearing)
{
    free(hearing->names);
}

bool hearing_wants(const struct hearing *hearing, const char *location, const char *device)
{
    return shard_owns(hearing->shard, location, device) ||
           bsearch(&device, hearing->names, hearing->n, sizeof(*hearing->names), by_name);
}
