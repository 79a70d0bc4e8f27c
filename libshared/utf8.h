/* UTF-8: RFC 3629. Pure. */
#ifndef UTF8_H
#define UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes of the character that `text` begins with, 1 to 4; 0 where none is there whole and valid
 * (overlong forms, surrogates and what is beyond U+10FFFF are not). */
size_t utf8_length(const void *text, size_t size);

bool utf8_valid(const void *text, size_t size);

#endif
