#include "signature.h"

#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

int signature_make(char out[SIGNATURE_SIZE], const char *key, const void *body, size_t size)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    char *at = out + sprintf(out, "sha256=");

    if (!HMAC(EVP_sha256(), key, (int)strlen(key), body, size, digest, &length))
        return -EIO;
    for (unsigned int i = 0; i < length; i++)
        at += sprintf(at, "%02x", digest[i]);
    return 0;
}
