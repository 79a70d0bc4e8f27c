/* Which type each field has in the store: a field that was written as a float stays one, so that no
 * value of another type ever makes the store refuse a point. Pure. */
#ifndef FIELD_TYPES_H
#define FIELD_TYPES_H

#include <stdbool.h>
#include <stddef.h>

enum field_type { FIELD_FLOAT, FIELD_INTEGER, FIELD_BOOLEAN, FIELD_TEXT };
const char *field_type_name(enum field_type type); /* "float", "integer", "boolean", "string" */
int field_type_parse(enum field_type *out, const char *name); /* 0 or -EINVAL */

#define FIELD_TYPES_MAX 20000 /* of one target */

struct field_types;

/* Remembers at most `max` fields; those beyond are taken as they come. Returns 0 or -ENOMEM. */
int field_types_open(struct field_types **out, size_t max);
void field_types_close(struct field_types *types);

/* False where the field is not known. */
bool field_types_find(const struct field_types *types, const char *measurement, const char *field,
                      enum field_type *out);

/* The field has this type from now on. Names are copied. */
void field_types_set(struct field_types *types, const char *measurement, const char *field,
                     enum field_type type);

/* True once after each change. */
bool field_types_take_change(struct field_types *types);

size_t field_types_count(const struct field_types *types);
bool field_types_full(const struct field_types *types); /* some field found no room */
typedef void field_types_fn(void *self, const char *measurement, const char *field,
                            enum field_type type);
void field_types_each(const struct field_types *types, field_types_fn *on_type, void *self);

#endif
