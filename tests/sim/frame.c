#include "frame.h"

#include <errno.h>
#include <string.h>

#define MBAP_SIZE 7
#define RTU_MIN 4 /* unit, function, CRC */

uint16_t frame_crc(const uint8_t *bytes, size_t size)
{
    uint16_t crc = 0xffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (uint16_t)(crc >> 1 ^ 0xa001) : (uint16_t)(crc >> 1);
    }
    return crc;
}

int frame_parse_mbap(struct frame *out, const uint8_t *bytes, size_t size)
{
    size_t length; /* of unit and PDU */

    if (size < MBAP_SIZE)
        return 0;
    length = (size_t)(bytes[4] << 8 | bytes[5]);
    if (bytes[2] || bytes[3] || length < 2 || length > 1 + PDU_MAX)
        return -EBADMSG;
    if (size < 6 + length)
        return 0;
    *out = (struct frame){
        .transaction = (uint16_t)(bytes[0] << 8 | bytes[1]),
        .unit = bytes[6],
        .pdu = bytes + MBAP_SIZE,
        .size = length - 1,
    };
    return (int)(6 + length);
}

/* The whole size of a request frame by its function; 0 where more bytes are needed to tell. */
static size_t rtu_size(const uint8_t *bytes, size_t size, bool whole)
{
    if (size < 2)
        return 0;
    switch (bytes[1]) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
        return 8;
    case 15:
    case 16:
        return size < 7 ? 0 : (size_t)9 + bytes[6];
    default:
        return whole ? size : 0;
    }
}

int frame_parse_rtu(struct frame *out, const uint8_t *bytes, size_t size, bool whole)
{
    size_t length = rtu_size(bytes, size, whole);

    if (length == 0 || size < length)
        return whole || size > FRAME_MAX ? -EBADMSG : 0;
    if (length < RTU_MIN || length > 3 + PDU_MAX)
        return -EBADMSG;
    if (frame_crc(bytes, length - 2) != (bytes[length - 2] | bytes[length - 1] << 8))
        return -EBADMSG;
    *out = (struct frame){.unit = bytes[0], .pdu = bytes + 1, .size = length - 3};
    return (int)length;
}

size_t frame_make_mbap(const struct frame *frame, uint8_t out[FRAME_MAX])
{
    size_t length = 1 + frame->size;

    out[0] = (uint8_t)(frame->transaction >> 8);
    out[1] = (uint8_t)frame->transaction;
    out[2] = out[3] = 0;
    out[4] = (uint8_t)(length >> 8);
    out[5] = (uint8_t)length;
    out[6] = frame->unit;
    memcpy(out + MBAP_SIZE, frame->pdu, frame->size);
    return MBAP_SIZE + frame->size;
}

size_t frame_make_rtu(const struct frame *frame, uint8_t out[FRAME_MAX])
{
    size_t size = 1 + frame->size;
    uint16_t crc;

    out[0] = frame->unit;
    memcpy(out + 1, frame->pdu, frame->size);
    crc = frame_crc(out, size);
    out[size++] = (uint8_t)crc;
    out[size++] = (uint8_t)(crc >> 8);
    return size;
}
