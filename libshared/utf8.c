#include "utf8.h"

#include <stdint.h>

/* RFC 3629, section 4: the first byte gives the length and bounds the second. */
size_t utf8_length(const void *text, size_t size)
{
    const uint8_t *s = text;
    size_t length;
    uint8_t low = 0x80, high = 0xBF;

    if (size == 0)
        return 0;
    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xC2 || s[0] > 0xF4)
        return 0;
    length = s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : 4;
    if (length > size)
        return 0;
    if (s[0] == 0xE0)
        low = 0xA0; /* overlong below */
    if (s[0] == 0xED)
        high = 0x9F; /* surrogates above */
    if (s[0] == 0xF0)
        low = 0x90; /* overlong below */
    if (s[0] == 0xF4)
        high = 0x8F; /* beyond U+10FFFF above */
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool utf8_valid(const void *text, size_t size)
{
    const char *s = text;

    while (size > 0) {
        size_t length = utf8_length(s, size);

        if (length == 0)
            return false;
        s += length;
        size -= length;
    }
    return true;
}
