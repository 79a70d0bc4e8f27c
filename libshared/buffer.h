/* A byte buffer that grows: text and lines are appended to it, then sent or written as a whole.
 *
 * An allocation that fails is remembered (`failed`) and makes every later call do nothing, so that
 * a writer checks once, at the end. The bytes are always followed by a NUL that `size` does not
 * count. */
#ifndef BUFFER_H
#define BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct buffer {
    char *data; /* owned; NULL until the first append */
    size_t size;
    size_t capacity;
    bool failed;
};

void buffer_append(struct buffer *buffer, const void *data, size_t size);
void buffer_repeat(struct buffer *buffer, size_t offset, size_t size); /* a part of itself */
void buffer_text(struct buffer *buffer, const char *text);
void buffer_char(struct buffer *buffer, char c);
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void buffer_number(struct buffer *buffer, double number); /* as number_format() writes it */
void buffer_clear(struct buffer *buffer); /* empty again, not failed any more, memory kept */
void buffer_free(struct buffer *buffer);  /* as after `= {0}` */
const char *
buffer_string(const struct buffer *buffer); /* never NULL; borrowed until the next append */

#endif
