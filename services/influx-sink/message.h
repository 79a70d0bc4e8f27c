/* A received message as it lies in the spool. Pure.
 *
 * Format, little endian: u8 version (1), u8 flags, u16 length of the topic, u64 ms since 1970 when
 * it was received; the topic; the payload. */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message {
    const char *topic; /* borrowed; not NUL-terminated */
    size_t topic_length;
    const void *payload; /* borrowed */
    size_t size;
    int64_t received_ms; /* wall clock */
    bool cut;            /* it was too long for the spool: only its first bytes are here */
};

/* Whether a record of the spool has room for it. */
bool message_fits(size_t topic_length, size_t payload_size);

/* Appends the message; one that is longer than a record of the spool can be is cut. 0 or -ENOMEM.
 */
int message_pack(const struct message *message, struct buffer *out);

/* 0 or -EBADMSG. Everything in `out` points into the record. */
int message_unpack(struct message *out, const void *record, size_t size);

#endif
