#include "wire.h"

#include <string.h>

static char *put16(char *out, size_t value)
{
    *out++ = (char)(value >> 8);
    *out++ = (char)value;
    return out;
}

static char *put_string(char *out, const char *text)
{
    size_t length = strlen(text);

    out = put16(out, length);
    memcpy(out, text, length);
    return out + length;
}

/* Section 1.5.5: seven bits a byte, the lowest first. */
static char *put_length(char *out, size_t value)
{
    do {
        unsigned byte = value & 127;

        value >>= 7;
        *out++ = (char)(value > 0 ? byte | 128 : byte);
    } while (value > 0);
    return out;
}

size_t wire_connect(char *out, const char *client)
{
    char *begin = out;

    *out++ = 0x10;
    out = put_length(out, 13 + strlen(client));
    out = put_string(out, "MQTT");
    *out++ = 5;    /* version */
    *out++ = 0x02; /* clean start */
    out = put16(out, 0);
    *out++ = 0; /* properties */
    out = put_string(out, client);
    return (size_t)(out - begin);
}

size_t wire_publish(char *out, uint16_t id, const char *topic, const char *payload, size_t size)
{
    char *begin = out;

    *out++ = 0x32;
    out = put_length(out, 2 + strlen(topic) + 2 + 1 + size);
    out = put_string(out, topic);
    out = put16(out, id);
    *out++ = 0; /* properties */
    memcpy(out, payload, size);
    return (size_t)(out - begin) + size;
}

int wire_parse(const unsigned char *data, size_t size, struct wire_packet *out)
{
    size_t length = 0, at = 1;
    unsigned shift = 0;

    do {
        if (at >= size)
            return 0;
        if (shift > 21)
            return -1;
        length |= (size_t)(data[at] & 127) << shift;
        shift += 7;
    } while (data[at++] & 128);
    if (size - at < length)
        return 0;
    *out = (struct wire_packet){.kind = data[0] >> 4};
    if (length < 2)
        return (int)(at + length);
    if (out->kind == WIRE_PUBACK) {
        out->id = (uint16_t)(data[at] << 8 | data[at + 1]);
        out->reason = length > 2 ? data[at + 2] : 0;
    } else if (out->kind == WIRE_CONNACK) {
        out->reason = data[at + 1];
    }
    return (int)(at + length);
}
