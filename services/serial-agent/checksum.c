#include "checksum.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *const checksum_names[] = {
    "none",         "nmea",         "crc16-arc",      "crc16-kermit",
    "crc16-modbus", "crc16-xmodem", "crc16-ibm-3740", NULL};

struct crc16 {
    uint16_t polynomial; /* as its direction wants it */
    uint16_t initial;
    bool reflected;
};

static const struct crc16 crcs[] = {
    [CHECKSUM_CRC16_ARC] = {0xA001, 0x0000, true},
    [CHECKSUM_CRC16_KERMIT] = {0x8408, 0x0000, true},
    [CHECKSUM_CRC16_MODBUS] = {0xA001, 0xFFFF, true},
    [CHECKSUM_CRC16_XMODEM] = {0x1021, 0x0000, false},
    [CHECKSUM_CRC16_IBM_3740] = {0x1021, 0xFFFF, false},
};

static uint16_t add_byte(const struct crc16 *how, uint16_t crc, unsigned char byte)
{
    crc ^= (uint16_t)(how->reflected ? byte : byte << 8);
    for (int bit = 0; bit < 8; bit++) {
        bool out = how->reflected ? crc & 1 : crc & 0x8000;

        crc = (uint16_t)(how->reflected ? crc >> 1 : crc << 1);
        if (out)
            crc ^= how->polynomial;
    }
    return crc;
}

static unsigned nmea(const char *text, size_t length)
{
    unsigned char sum = 0;

    for (size_t i = length > 0 && (text[0] == '$' || text[0] == '!'); i < length; i++)
        sum ^= (unsigned char)text[i];
    return sum;
}

unsigned checksum_of(enum checksum_kind kind, const char *text, size_t length)
{
    uint16_t crc;

    if (kind == CHECKSUM_NONE)
        return 0;
    if (kind == CHECKSUM_NMEA)
        return nmea(text, length);
    crc = crcs[kind].initial;
    for (size_t i = 0; i < length; i++)
        crc = add_byte(&crcs[kind], crc, (unsigned char)text[i]);
    return crc;
}

void checksum_write(enum checksum_kind kind, const char *text, size_t length,
                    char out[CHECKSUM_SIZE])
{
    unsigned sum = checksum_of(kind, text, length);

    out[0] = '\0';
    if (kind == CHECKSUM_NMEA)
        snprintf(out, CHECKSUM_SIZE, "*%02X", sum & 0xFF);
    else if (kind != CHECKSUM_NONE)
        snprintf(out, CHECKSUM_SIZE, "*%04X", sum & 0xFFFF);
}

long checksum_check(enum checksum_kind kind, const char *line, size_t length)
{
    size_t digits = kind == CHECKSUM_NMEA ? 2 : 4;
    char expected[CHECKSUM_SIZE];

    if (kind == CHECKSUM_NONE)
        return (long)length;
    if (length < digits + 1)
        return -EBADMSG;
    length -= digits + 1;
    checksum_write(kind, line, length, expected);
    return strncasecmp(line + length, expected, digits + 1) == 0 ? (long)length : -EBADMSG;
}
