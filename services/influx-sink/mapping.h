/* How points are to differ from what came in: extra tags, other names, integers. Pure; everything
 * is the configuration's, borrowed. */
#ifndef MAPPING_H
#define MAPPING_H

#include <stdbool.h>
#include <stddef.h>

#define MAPPING_RULES_MAX 64
#define MAPPING_PAIRS_MAX 16 /* tags, or fields, in a rule */
#define MAPPING_INTEGERS_MAX 64

struct mapping_pair {
    const char *from, *to; /* a tag's key and value, or a field's old and new name */
};

struct mapping_rule {
    const char *filter;      /* MQTT's, below the root */
    const char *measurement; /* NULL: stays */
    struct mapping_pair tags[MAPPING_PAIRS_MAX];
    size_t n_tags;
    struct mapping_pair fields[MAPPING_PAIRS_MAX];
    size_t n_fields;
};

struct mapping {
    struct mapping_rule rules[MAPPING_RULES_MAX];
    size_t n_rules;
    const char *integers[MAPPING_INTEGERS_MAX]; /* fnmatch() patterns of measurement/field */
    size_t n_integers;
};

/* What all rules together make of one topic. Of two that name the same tag, field or measurement
 * the later one holds. */
struct mapped {
    const char *measurement;
    struct mapping_pair tags[MAPPING_PAIRS_MAX]; /* sorted by key */
    size_t n_tags;
    struct mapping_pair fields[MAPPING_PAIRS_MAX];
    size_t n_fields;
};

/* `topic` is below the root. Tags and fields beyond MAPPING_PAIRS_MAX are left out. */
void mapping_apply(const struct mapping *mapping, const char *topic, const char *measurement,
                   struct mapped *out);
const char *mapped_field(const struct mapped *mapped, const char *name);

bool mapping_is_integer(const struct mapping *mapping, const char *measurement, const char *field);

#endif
