/* Checksums at the end of a line, "…*hh": what comes before the '*' is summed, the digits are hex
 * in either case. Pure.
 *
 * nmea: NMEA 0183, section 5.2.3: the exclusive or of all characters, but for a leading '$' or '!';
 * two digits. The CRC-16s go by their names in the catalogue of parametrised CRC algorithms
 * (RevEng) and have four digits, the high byte first. */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

enum checksum_kind {
    CHECKSUM_NONE,
    CHECKSUM_NMEA,
    CHECKSUM_CRC16_ARC,
    CHECKSUM_CRC16_KERMIT,
    CHECKSUM_CRC16_MODBUS,
    CHECKSUM_CRC16_XMODEM,
    CHECKSUM_CRC16_IBM_3740 /* also called CCITT-FALSE */
};

/* Names of the kinds in their order, NULL at the end: "none", "nmea", "crc16-modbus"… */
extern const char *const checksum_names[];

#define CHECKSUM_SIZE 6 /* bytes of "*hhhh", NUL included */

unsigned checksum_of(enum checksum_kind kind, const char *text, size_t length);

/* What is to be put behind the text: "*hh". Empty for CHECKSUM_NONE. */
void checksum_write(enum checksum_kind kind, const char *text, size_t length,
                    char out[CHECKSUM_SIZE]);

/* Returns the length of the line without its checksum, which is right, or -EBADMSG where there is
 * none or it is wrong. */
long checksum_check(enum checksum_kind kind, const char *line, size_t length);

#endif
