/* Reads the birth document of a device: contract, section 1, `meta`; proto/meta.schema.json. Pure.
 */
#ifndef META_READ_H
#define META_READ_H

#include <stddef.h>

/* Names are borrowed for the call; both may be NULL. Another return value than 0 ends the reading.
 */
struct meta_reader {
    int (*on_point)(void *self, const char *measurement, const char *name);
    int (*on_actuator)(void *self, const char *name);
    void *self;
};

/* Returns 0, what a handler returned, -ENOMEM, or -EBADMSG with a sentence in `error`. */
int meta_read(const struct meta_reader *reader, const void *payload, size_t size, char *error,
              size_t error_size);

#endif
