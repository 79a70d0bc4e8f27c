#include "field_types.h"

#include "hash.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char *names; /* owned: measurement NUL field NUL; NULL where the slot is free */
    uint32_t hash;
    enum field_type type;
};

struct field_types {
    struct entry *slots; /* open addressing, linear; at most half full; a power of two */
    size_t n_slots;
    size_t n, max;
    bool changed, full;
};

static const char *const type_names[] = {"float", "integer", "boolean", "string"};

const char *field_type_name(enum field_type type)
{
    return type_names[type];
}

int field_type_parse(enum field_type *out, const char *name)
{
    for (size_t i = 0; i < sizeof(type_names) / sizeof(type_names[0]); i++)
        if (strcmp(name, type_names[i]) == 0) {
            *out = (enum field_type)i;
            return 0;
        }
    return -EINVAL;
}

int field_types_open(struct field_types **out, size_t max)
{
    struct field_types *types = calloc(1, sizeof(*types));

    if (!types)
        return -ENOMEM;
    types->max = max;
    types->n_slots = 64;
    types->slots = calloc(types->n_slots, sizeof(*types->slots));
    if (!types->slots) {
        free(types);
        return -ENOMEM;
    }
    *out = types;
    return 0;
}

void field_types_close(struct field_types *types)
{
    if (!types)
        return;
    for (size_t i = 0; i < types->n_slots; i++)
        free(types->slots[i].names);
    free(types->slots);
    free(types);
}

static uint32_t hash_names(const char *measurement, const char *field)
{
    return (uint32_t)hash_text(hash_text(HASH_START, measurement), field);
}

static bool entry_is(const struct entry *entry, uint32_t hash, const char *measurement,
                     const char *field)
{
    return entry->hash == hash && strcmp(entry->names, measurement) == 0 &&
           strcmp(entry->names + strlen(entry->names) + 1, field) == 0;
}

/* The field's slot, or the free one where it would be. */
static struct entry *find(const struct field_types *types, uint32_t hash, const char *measurement,
                          const char *field)
{
    size_t i = hash & (types->n_slots - 1);

    while (types->slots[i].names && !entry_is(&types->slots[i], hash, measurement, field))
        i = (i + 1) & (types->n_slots - 1);
    return &types->slots[i];
}

static bool grow(struct field_types *types)
{
    struct entry *old = types->slots;
    size_t n_old = types->n_slots;

    if (2 * (types->n + 1) <= n_old)
        return true;
    types->slots = calloc(n_old * 2, sizeof(*old));
    if (!types->slots) {
        types->slots = old;
        return false;
    }
    types->n_slots = n_old * 2;
    for (size_t i = 0; i < n_old; i++)
        if (old[i].names)
            *find(types, old[i].hash, old[i].names, old[i].names + strlen(old[i].names) + 1) =
                old[i];
    free(old);
    return true;
}

static char *join(const char *measurement, const char *field)
{
    size_t first = strlen(measurement) + 1, second = strlen(field) + 1;
    char *names = malloc(first + second);

    if (!names)
        return NULL;
    memcpy(names, measurement, first);
    memcpy(names + first, field, second);
    return names;
}

static void add(struct field_types *types, const struct entry *new, const char *measurement,
                const char *field)
{
    char *names = types->n < types->max && grow(types) ? join(measurement, field) : NULL;
    struct entry *entry;

    if (!names) {
        types->full = true;
        return;
    }
    entry = find(types, new->hash, measurement, field);
    *entry = *new;
    entry->names = names;
    types->n++;
    types->changed = true;
}

bool field_types_find(const struct field_types *types, const char *measurement, const char *field,
                      enum field_type *out)
{
    const struct entry *entry = find(types, hash_names(measurement, field), measurement, field);

    if (entry->names)
        *out = entry->type;
    return entry->names;
}

void field_types_set(struct field_types *types, const char *measurement, const char *field,
                     enum field_type type)
{
    struct entry new = {.hash = hash_names(measurement, field), .type = type};
    struct entry *entry = find(types, new.hash, measurement, field);

    if (!entry->names) {
        add(types, &new, measurement, field);
    } else if (entry->type != type) {
        entry->type = type;
        types->changed = true;
    }
}

bool field_types_take_change(struct field_types *types)
{
    bool changed = types->changed;

    types->changed = false;
    return changed;
}

size_t field_types_count(const struct field_types *types)
{
    return types->n;
}

bool field_types_full(const struct field_types *types)
{
    return types->full;
}

void field_types_each(const struct field_types *types, field_types_fn *on_type, void *self)
{
    for (size_t i = 0; i < types->n_slots; i++) {
        const char *measurement = types->slots[i].names;

        if (measurement)
            on_type(self, measurement, measurement + strlen(measurement) + 1, types->slots[i].type);
    }
}
