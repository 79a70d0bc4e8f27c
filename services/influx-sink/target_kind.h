/* What a kind of target has to bring. Inside target.c and its kinds. */
#ifndef TARGET_KIND_H
#define TARGET_KIND_H

#include "target.h"

struct target_functions {
    int (*open)(void **self, const struct target_settings *settings);
    void (*close)(void *self);
    void (*post)(void *self, unsigned slot, const char *lines, size_t size);
    bool (*answered)(void *self, unsigned slot, struct target_answer *answer);
    void (*wait)(void *self, struct pollfd *also, size_t n, int timeout_ms);
};

extern const struct target_functions target_influx;
extern const struct target_functions target_file;

/* One line of printable text from whatever came. */
void target_words(struct target_answer *answer, const char *text, size_t size);

#endif
