/* JSON out: a writer over struct buffer that places commas, escapes texts and never writes what
 * JSON has not (NaN, Infinity, bytes that are not UTF-8). Format: RFC 8259.
 *
 * Every call takes the member's key, or NULL inside an array and at the top:
 *
 *     struct jsonw w = jsonw_start(&buffer);
 *     jsonw_object_begin(&w, NULL);
 *     jsonw_integer(&w, "ts", time_ms);
 *     jsonw_array_begin(&w, "points");
 *     jsonw_text(&w, NULL, "temperature");
 *     jsonw_array_end(&w);
 *     jsonw_object_end(&w);
 *     return buffer.failed ? -ENOMEM : 0;
 *
 * Keys and texts are copied into the buffer. That begins and ends match is the caller's to see to.
 */
#ifndef JSONW_H
#define JSONW_H

#include "buffer.h"
#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct jsonw {
    struct buffer *out; /* borrowed; appended to */
    bool comma;         /* the next thing has one before it */
};

struct jsonw jsonw_start(struct buffer *out);

void jsonw_object_begin(struct jsonw *w, const char *key);
void jsonw_object_end(struct jsonw *w);
void jsonw_array_begin(struct jsonw *w, const char *key);
void jsonw_array_end(struct jsonw *w);

void jsonw_null(struct jsonw *w, const char *key);
void jsonw_bool(struct jsonw *w, const char *key, bool value);
void jsonw_integer(struct jsonw *w, const char *key, int64_t value);
void jsonw_unsigned(struct jsonw *w, const char *key, uint64_t value);
void jsonw_number(struct jsonw *w, const char *key, double value);   /* not finite: null */
void jsonw_text(struct jsonw *w, const char *key, const char *text); /* NULL: null */
void jsonw_value(struct jsonw *w, const char *key, const struct value *value); /* none: null */

/* A text of `size` bytes from outside, any bytes: NUL and what is not UTF-8 become U+FFFD. */
void jsonw_bytes(struct jsonw *w, const char *key, const void *bytes, size_t size);

#endif
