/* Texts that settings point to, kept when the configuration is gone: each one once. Pure. */
#ifndef TEXTS_H
#define TEXTS_H

#include "value.h"

#include <stdbool.h>
#include <stddef.h>

struct texts {    /* starts as `= {0}` */
    char **items; /* owned, and each of them */
    size_t n;
    bool failed; /* there was no memory for one of them */
};

/* Puts a copy in place of the text; NULL stays NULL, and is put where there is no memory. */
void texts_own(struct texts *texts, const char **text);
void texts_own_value(struct texts *texts, struct value *value); /* where it is one */
void texts_free(struct texts *texts);

#endif
