/* The fields that templates may name. Pure; a part of template.h. */
#ifndef TEMPLATE_FIELD_H
#define TEMPLATE_FIELD_H

#include "buffer.h"
#include "notification.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The number of the field, or -1. */
int template_field_find(const char *name, size_t length);

/* Appends what the field holds; `item` is NULL outside of {each}. */
void template_field_put(int field, const struct notification *notification, const struct item *item,
                        struct buffer *out);

/* Whether it is a count, and which. */
bool template_field_count(int field, const struct notification *notification, uint64_t *out);

#endif
