/* The two envelopes of a Modbus PDU, for a server. Pure.
 * MBAP: "MODBUS Messaging on TCP/IP Implementation Guide V1.0b", section 3.1.3.
 * RTU: "MODBUS over Serial Line Specification V1.02", section 2.5.1; CRC in its appendix B. */
#ifndef FRAME_H
#define FRAME_H

#include "pdu.h"

#define FRAME_MAX (7 + PDU_MAX)

struct frame {
    uint16_t transaction; /* MBAP only */
    uint8_t unit;
    const uint8_t *pdu; /* borrowed from the bytes that were parsed */
    size_t size;        /* of the PDU */
};

/* Finds a request at the start of bytes[0..size). Return the bytes it takes, 0 where more are
 * needed, or -EBADMSG where what is there can never become one. frame_parse_rtu() returns -EBADMSG
 * too where the CRC is wrong; `whole` says that silence ended the frame, so that one of a function
 * whose length is not known can be judged by its CRC. */
int frame_parse_mbap(struct frame *out, const uint8_t *bytes, size_t size);
int frame_parse_rtu(struct frame *out, const uint8_t *bytes, size_t size, bool whole);

/* Write the envelope around a PDU and return the frame's size. */
size_t frame_make_mbap(const struct frame *frame, uint8_t out[FRAME_MAX]);
size_t frame_make_rtu(const struct frame *frame, uint8_t out[FRAME_MAX]);

uint16_t frame_crc(const uint8_t *bytes, size_t size); /* its low byte goes out first */

#endif
