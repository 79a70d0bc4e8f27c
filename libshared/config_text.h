/* What a JSON parser does not tell of a configuration's text: comments, duplicate keys, lines.
 * Pure. */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct config_position { /* both from 1 */
    size_t line;
    size_t column; /* in characters (UTF-8) */
};
struct config_position config_text_position(const char *text, size_t offset);

/* Replaces each comment (// to the end of the line, / * to * /) by spaces, in place, so that all
 * else keeps its position. Returns false where a comment or a string does not end; `offset` is then
 * where it begins. */
bool config_text_blank_comments(char *text, size_t *offset);

/* Finds a key that its object already has, in text that is known to be JSON. Returns the offset of
 * its first character and its `length` in bytes; -ENOENT where there is none; -ENOMEM. Keys are
 * compared as written: escapes are not resolved. */
long config_text_find_duplicate(const char *text, size_t *length);

#endif
