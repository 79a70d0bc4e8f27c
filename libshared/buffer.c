#include "buffer.h"

#include "number.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST 256 /* bytes of the first allocation */

/* Makes room for `more` bytes and the NUL. */
static bool reserve(struct buffer *buffer, size_t more)
{
    if (buffer->failed)
        return false;
    if (more < buffer->capacity - buffer->size)
        return true;
    size_t capacity = buffer->capacity ? buffer->capacity : BUFFER_FIRST;
    while (capacity - buffer->size <= more) {
        if (capacity > SIZE_MAX / 2) {
            buffer->failed = true;
            return false;
        }
        capacity *= 2;
    }
    char *data = realloc(buffer->data, capacity);
    if (!data) {
        buffer->failed = true;
        return false;
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (!reserve(buffer, size))
        return;
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
}

void buffer_repeat(struct buffer *buffer, size_t offset, size_t size)
{
    if (reserve(buffer, size))
        buffer_append(buffer, buffer->data + offset, size);
}

void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_append(buffer, text, strlen(text));
}

void buffer_char(struct buffer *buffer, char c)
{
    buffer_append(buffer, &c, 1);
}

__attribute__((format(printf, 2, 0))) static int format_into(struct buffer *buffer,
                                                             const char *format, va_list arguments)
{
    return vsnprintf(buffer->data + buffer->size, buffer->capacity - buffer->size, format,
                     arguments);
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    if (!reserve(buffer, 0))
        return;
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = format_into(buffer, format, arguments);
    bool whole = length >= 0 && (size_t)length < buffer->capacity - buffer->size;
    if (length < 0)
        buffer->failed = true;
    else if (!whole && reserve(buffer, (size_t)length))
        whole = format_into(buffer, format, again) == length;
    va_end(again);
    va_end(arguments);
    if (whole)
        buffer->size += (size_t)length;
    else
        buffer->data[buffer->size] = '\0'; /* nothing rather than a part */
}

void buffer_number(struct buffer *buffer, double number)
{
    char text[NUMBER_SIZE];
    buffer_append(buffer, text, number_format(text, number));
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
    if (buffer->data)
        buffer->data[0] = '\0';
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

const char *buffer_string(const struct buffer *buffer)
{
    return buffer->data ? buffer->data : "";
}
