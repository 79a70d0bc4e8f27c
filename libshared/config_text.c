#include "config_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct config_position config_text_position(const char *text, size_t offset)
{
    struct config_position position = {1, 1};
    for (size_t i = 0; i < offset && text[i]; i++) {
        if (text[i] == '\n') {
            position.line++;
            position.column = 1;
        } else if (((unsigned char)text[i + 1] & 0xc0) != 0x80) {
            position.column++; /* the next byte begins a character */
        }
    }
    return position;
}

/* The byte behind the string that begins at `start`; NULL where it does not end. */
static const char *string_end(const char *start)
{
    for (const char *at = start + 1; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        else if (*at == '"')
            return at + 1;
    }
    return NULL;
}

/* The byte behind the comment that begins at `start`; NULL where it does not end. */
static const char *comment_end(const char *start)
{
    if (start[1] == '/')
        return start + strcspn(start, "\n");
    const char *end = strstr(start + 2, "*/");
    return end ? end + 2 : NULL;
}

bool config_text_blank_comments(char *text, size_t *offset)
{
    for (char *at = text; *at;) {
        bool comment = at[0] == '/' && (at[1] == '/' || at[1] == '*');
        if (!comment && *at != '"') {
            at++;
            continue;
        }
        const char *end = comment ? comment_end(at) : string_end(at);
        if (!end) {
            *offset = (size_t)(at - text);
            return false;
        }
        for (; at < end; at++) {
            if (comment && *at != '\n')
                *at = ' ';
        }
    }
    return true;
}

struct seen_key {
    const char *text; /* between its quotes */
    size_t length;
    unsigned depth;
};

struct seen_keys { /* of the objects that are open, the innermost last */
    struct seen_key *items;
    size_t n;
    size_t capacity;
};

static int remember(struct seen_keys *seen, struct seen_key key)
{
    if (seen->n == seen->capacity) {
        size_t capacity = seen->capacity ? seen->capacity * 2 : 64;
        struct seen_key *items = reallocarray(seen->items, capacity, sizeof *items);
        if (!items)
            return -ENOMEM;
        seen->items = items;
        seen->capacity = capacity;
    }
    seen->items[seen->n++] = key;
    return 0;
}

static bool is_seen(const struct seen_keys *seen, struct seen_key key)
{
    for (size_t i = seen->n; i > 0 && seen->items[i - 1].depth == key.depth; i--) {
        if (seen->items[i - 1].length == key.length &&
            memcmp(seen->items[i - 1].text, key.text, key.length) == 0)
            return true;
    }
    return false;
}

static void forget(struct seen_keys *seen, unsigned depth)
{
    while (seen->n > 0 && seen->items[seen->n - 1].depth >= depth)
        seen->n--;
}

static long find_duplicate(const char *text, struct seen_keys *seen, size_t *length)
{
    unsigned depth = 0;
    for (const char *at = text; *at;) {
        if (*at == '{')
            depth++;
        if (*at == '}')
            forget(seen, depth--);
        if (*at != '"') {
            at++;
            continue;
        }
        const char *end = string_end(at);
        if (!end)
            break;
        struct seen_key key = {at + 1, (size_t)(end - at) - 2, depth};
        at = end;
        if (end[strspn(end, " \t\r\n")] != ':')
            continue;
        if (is_seen(seen, key)) {
            *length = key.length;
            return key.text - text;
        }
        if (remember(seen, key))
            return -ENOMEM;
    }
    return -ENOENT;
}

long config_text_find_duplicate(const char *text, size_t *length)
{
    struct seen_keys seen = {0};
    long offset = find_duplicate(text, &seen, length);
    free(seen.items);
    return offset;
}
