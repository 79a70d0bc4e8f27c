/* HMAC-SHA256 (RFC 2104, FIPS 180-4) of a body, by which its receiver knows who sent it. Pure. */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include <stddef.h>

#define SIGNATURE_SIZE (sizeof "sha256=" + 64) /* bytes, NUL included */

/* Writes "sha256=" and 64 hexadecimal digits. Returns 0 or -EIO. */
int signature_make(char out[SIGNATURE_SIZE], const char *key, const void *body, size_t size);

#endif
