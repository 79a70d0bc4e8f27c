/* JSON in, strictly: RFC 8259 with the limits of I-JSON (RFC 7493), which are no duplicate keys,
 * valid UTF-8 and whole numbers below 2^53; nothing after the document, nothing nested deeper than
 * JSONR_DEPTH_MAX, no \u0000. json-c builds the tree, but alone it would take NaN, keys in single
 * quotes, duplicate keys and control characters.
 *
 * Who reads members with the calls below needs no json-c; who walks the tree includes it. */
#ifndef JSONR_H
#define JSONR_H

#include "value.h"

#include <stddef.h>
#include <stdint.h>

#define JSONR_DEPTH_MAX 16
#define JSONR_INTEGER_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

struct json_object;

/* Parses a whole document. Gives the tree away: jsonr_free() or json_object_put().
 * Returns 0, -ENOMEM, or -EBADMSG with a sentence in `error` that says what and at which byte.
 * A document that is the word null gives a NULL tree. */
int jsonr_parse(struct json_object **out, const void *text, size_t size, char *error,
                size_t error_size);
void jsonr_free(struct json_object *tree); /* takes NULL */

/* One object of the tree, where it stands and where to say what is wrong with it. All borrowed. */
struct jsonr {
    struct json_object *object;
    const char *path; /* put before a key in sentences: "", "cause.", "[3].values." */
    char *error;
    size_t error_size;
};

/* Parses a whole document that must be an object into `in->object`, which is then the caller's to
 * free; the other members of `in` are set before. Returns as jsonr_parse(). */
int jsonr_parse_object(struct jsonr *in, const void *text, size_t size);

enum jsonr_need { JSONR_OPTIONAL, JSONR_REQUIRED };

/* Members by key. An optional one that is absent or null leaves *out as it was; texts and objects
 * are borrowed from the tree. Return 0, or -EBADMSG with a sentence in `error`. */
int jsonr_integer(const struct jsonr *in, const char *key, enum jsonr_need need,
                  int64_t *out); /* 0 to JSONR_INTEGER_MAX */
int jsonr_number(const struct jsonr *in, const char *key, enum jsonr_need need, double *out);
int jsonr_text(const struct jsonr *in, const char *key, enum jsonr_need need, const char **out);
int jsonr_value(const struct jsonr *in, const char *key, enum jsonr_need need, struct value *out);
int jsonr_object(const struct jsonr *in, const char *key, enum jsonr_need need,
                 struct json_object **out);

/* A number, boolean or text as a value, its text borrowed from the tree; VALUE_NONE for anything
 * else and for a number that a double cannot hold. */
struct value jsonr_scalar(struct json_object *node);

/* Writes "<path><key>: <sentence>", or what is wrong with the object itself where `key` is NULL.
 * Returns -EBADMSG. */
int jsonr_fail(const struct jsonr *in, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
