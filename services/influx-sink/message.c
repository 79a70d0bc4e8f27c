#include "message.h"

#include "spool.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#define VERSION 1
#define FLAG_CUT 1
#define CUT_SIZE 4096 /* what a dead letter shows */

struct header {
    uint8_t version;
    uint8_t flags;
    uint16_t topic_length;
    uint64_t received_ms;
} __attribute__((packed));

bool message_fits(size_t topic_length, size_t payload_size)
{
    return sizeof(struct header) + topic_length + payload_size <= SPOOL_RECORD_MAX;
}

int message_pack(const struct message *message, struct buffer *out)
{
    struct header header = {.version = VERSION,
                            .topic_length = htole16((uint16_t)message->topic_length),
                            .received_ms = htole64((uint64_t)message->received_ms)};
    size_t size = message->size;

    if (!message_fits(message->topic_length, size)) {
        header.flags = FLAG_CUT;
        size = CUT_SIZE;
    }
    buffer_append(out, &header, sizeof(header));
    buffer_append(out, message->topic, message->topic_length);
    buffer_append(out, message->payload, size);
    return out->failed ? -ENOMEM : 0;
}

int message_unpack(struct message *out, const void *record, size_t size)
{
    const char *bytes = record;
    struct header header;

    if (size < sizeof(header))
        return -EBADMSG;
    memcpy(&header, record, sizeof(header));
    out->topic_length = le16toh(header.topic_length);
    if (header.version != VERSION || sizeof(header) + out->topic_length > size)
        return -EBADMSG;
    out->topic = bytes + sizeof(header);
    out->payload = out->topic + out->topic_length;
    out->size = size - sizeof(header) - out->topic_length;
    out->received_ms = (int64_t)le64toh(header.received_ms);
    out->cut = header.flags & FLAG_CUT;
    return 0;
}
