/* Mends a dead letter that is a reading: a few plain changes, no language. Pure. */
#ifndef DEAD_FIX_H
#define DEAD_FIX_H

#include "buffer.h"
#include "topic.h"
#include "value.h"

#include <stdbool.h>
#include <stddef.h>

struct dead_fix { /* an empty name: not that one. All borrowed. */
    char rename_field[TOPIC_NAME_SIZE], field_name[TOPIC_NAME_SIZE];
    char drop_field[TOPIC_NAME_SIZE];
    char set_field[TOPIC_NAME_SIZE]; /* a field that is there */
    struct value set_value;
    char rename_measurement[TOPIC_NAME_SIZE], measurement_name[TOPIC_NAME_SIZE];
    const char *only; /* MQTT filter of the topics to mend; NULL: all */
};

/* "OLD=NEW", both names. False where it is not that. */
bool dead_fix_parse_pair(const char *text, char from[TOPIC_NAME_SIZE], char to[TOPIC_NAME_SIZE]);

/* "NAME=VALUE": true, false, a number, or any other text, borrowed from `text`. */
bool dead_fix_parse_value(const char *text, char name[TOPIC_NAME_SIZE], struct value *out);

/* Writes what the letter becomes. Returns 1; 0 where it stays as it is, which is also so for what
 * is no reading; -ENOMEM. */
int dead_fix_apply(const struct dead_fix *fix, const char *root, const char *topic,
                   const struct buffer *payload, struct buffer *topic_out,
                   struct buffer *payload_out);

#endif
