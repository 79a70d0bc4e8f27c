/* Bodies made smaller (RFC 1952). For http.c. */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include "buffer.h"

struct http_gzip; /* 256 KiB, kept from one body to the next */

int http_gzip_open(struct http_gzip **out); /* 0 or -ENOMEM */
void http_gzip_close(struct http_gzip *gzip);

/* Puts the packed body in place of what `out` holds. Returns 0 or -ENOMEM. */
int http_gzip_pack(struct http_gzip *gzip, const void *body, size_t size, struct buffer *out);

#endif
