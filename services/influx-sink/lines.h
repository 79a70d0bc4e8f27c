/* Points in InfluxDB line protocol (InfluxDB 1.x and 2.x documentation, "Line protocol reference").
 * Pure.
 *
 *     lines_begin(&lines, "sensors");
 *     lines_tag(&lines, "device_id", "greenhouse_001");
 *     lines_field(&lines, "temperature", &value);
 *     lines_end(&lines, ts_ms);
 *
 * Tags come before fields, sorted by key for the store's sake. */
#ifndef LINES_H
#define LINES_H

#include "buffer.h"
#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lines {
    struct buffer text;
    size_t *starts; /* offset of each line in the text; owned */
    size_t n;
    size_t capacity;
    size_t head;       /* bytes before the fields of the last line that was begun anew */
    size_t line;       /* offset of the line being written */
    size_t n_fields;   /* of the line being written */
    struct lines_key { /* as it stands in the text, '=' included */
        size_t offset, size;
    } key;       /* of the field that was written last */
    bool failed; /* out of memory: nothing more is taken */
};

void lines_begin(struct lines *lines, const char *measurement);
void lines_tag(struct lines *lines, const char *key,
               const char *value); /* an empty one is left out */
/* In place of lines_begin() and the tags: those of the line before, which was ended. */
void lines_begin_again(struct lines *lines);
/* Numbers are floats; booleans true and false; a text's line ends, which the protocol cannot carry,
 * become spaces. VALUE_NONE and numbers that are not finite are left out. */
void lines_field(struct lines *lines, const char *key, const struct value *value);
void lines_number(struct lines *lines, const char *key, double number);
/* Of a field that has that key; it is of a line that is still there. */
void lines_number_again(struct lines *lines, const struct lines_key *key, double number);
void lines_integer(struct lines *lines, const char *key, int64_t number); /* 42i */
void lines_text(struct lines *lines, const char *key, const char *text);  /* NULL is left out */
/* Ends the line; one without a field is no point and is taken back. True where there is one more.
 */
bool lines_end(struct lines *lines, int64_t ts_ms);

void lines_truncate(struct lines *lines, size_t n); /* keeps the first n */
void lines_clear(struct lines *lines);              /* empty again, memory kept */
void lines_free(struct lines *lines);

/* The text of lines [from, to), the last with its line end. Borrowed until the next change. */
const char *lines_range(const struct lines *lines, size_t from, size_t to, size_t *size);

#endif
