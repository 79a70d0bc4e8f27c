/* Records of the backlog and the messages that they are sent as. Pure. Inside backlog.c.
 *
 * A record is the topic, a NUL, and the payload: a reading or an array of them. Records of one
 * topic become arrays as reading_array.h has them, in their order. */
#ifndef BACKLOG_PACK_H
#define BACKLOG_PACK_H

#include "buffer.h"
#include "reading_array.h"

#include <stddef.h>

/* One message in the making. */
struct backlog_array {
    char *topic; /* owned */
    struct reading_array readings;
};

struct backlog_pack {
    struct backlog_array *arrays; /* owned; starts as `= {0}`, as does all of this */
    size_t n_arrays;
    size_t capacity;
    size_t size; /* bytes of all records in it */
};

/* Appends a record's bytes. */
void backlog_pack_record(struct buffer *out, const char *topic, const char *payload, size_t size);

/* Returns 0, -ENOMEM, or -EBADMSG for what is no record. */
int backlog_pack_add(struct backlog_pack *pack, const void *record, size_t size);

/* Hands over each message in the order of its first record. Borrowed for the call; then
 * backlog_pack_clear() must follow. */
typedef void backlog_pack_fn(void *self, const char *topic, const char *payload, size_t size);
void backlog_pack_each(struct backlog_pack *pack, backlog_pack_fn *on_message, void *self);

void backlog_pack_clear(struct backlog_pack *pack); /* empty, as at first */

#endif
