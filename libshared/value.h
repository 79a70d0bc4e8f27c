/* A scalar as it travels in readings, commands and states. */
#ifndef VALUE_H
#define VALUE_H

#include <stdbool.h>

enum value_type { VALUE_NONE, VALUE_BOOL, VALUE_NUMBER, VALUE_TEXT };

struct value {
    enum value_type type;
    union {
        bool boolean;
        double number;    /* finite */
        const char *text; /* UTF-8; borrowed unless the holder says otherwise */
    };
};

static inline struct value value_bool(bool boolean)
{
    return (struct value){.type = VALUE_BOOL, .boolean = boolean};
}

static inline struct value value_number(double number)
{
    return (struct value){.type = VALUE_NUMBER, .number = number};
}

static inline struct value value_text(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .text = text};
}

/* Same type and same content; numbers by ==. */
bool value_equal(const struct value *a, const struct value *b);

/* A copy that owns its text, and its end. value_copy returns 0 or -ENOMEM. */
int value_copy(struct value *out, const struct value *from);
void value_free(struct value *value);

#endif
