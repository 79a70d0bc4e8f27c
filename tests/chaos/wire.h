/* The four packets that a publisher of QoS 1 needs, as bytes (MQTT 5.0, sections 3.1 to 3.4):
 * written here and not taken from a library, so that what the broker acknowledged is known to the
 * message. Pure. */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_OVERHEAD 16 /* bytes that a PUBLISH takes beyond topic and payload, at most */

/* Bytes written. `client` is at most 100 characters; a clean start, keep alive off. */
size_t wire_connect(char *out, const char *client);
size_t wire_publish(char *out, uint16_t id, const char *topic, const char *payload, size_t size);

enum wire_kind { WIRE_CONNACK = 2, WIRE_PUBACK = 4 };
struct wire_packet {
    int kind; /* another one is left to the caller to ignore */
    uint16_t id;
    uint8_t reason; /* from 128 on refused */
};

/* Bytes that the packet at data[0..size) takes; 0 where more are needed; -1 where it is no MQTT. */
int wire_parse(const unsigned char *data, size_t size, struct wire_packet *out);

#endif
