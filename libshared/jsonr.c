#include "jsonr.h"

#include "jsonr_scan.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Keys of all objects in the tree together: fewer than the text has where one of them came twice.
 */
static size_t count_members(struct json_object *node)
{
    size_t count = 0;

    if (json_object_is_type(node, json_type_object)) {
        count = (size_t)json_object_object_length(node);
        json_object_object_foreach(node, key, member)
        {
            (void)key;
            count += count_members(member);
        }
    } else if (json_object_is_type(node, json_type_array)) {
        size_t n = json_object_array_length(node);

        for (size_t i = 0; i < n; i++)
            count += count_members(json_object_array_get_idx(node, i));
    }
    return count;
}

/* The text keeps to the grammar, so json-c can fail only for want of memory. */
static int build_tree(struct json_object **out, const char *text, int length)
{
    struct json_tokener *tokener = json_tokener_new_ex(JSONR_DEPTH_MAX + 1);
    int error = 0;

    if (!tokener)
        return -ENOMEM;
    *out = json_tokener_parse_ex(tokener, text, length);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        *out = json_tokener_parse_ex(tokener, "", 1); /* the NUL ends a number */
    if (json_tokener_get_error(tokener) != json_tokener_success)
        error = -ENOMEM;
    json_tokener_free(tokener);
    return error;
}

int jsonr_parse(struct json_object **out, const void *text, size_t size, char *error,
                size_t error_size)
{
    struct jsonr_scan scan = {.text = text, .size = size};
    int result;

    *out = NULL;
    if (size > INT_MAX) {
        snprintf(error, error_size, "longer than any document may be");
        return -EBADMSG;
    }
    if (jsonr_scan(&scan)) {
        snprintf(error, error_size, "not JSON, byte %zu: %s", scan.at, scan.problem);
        return -EBADMSG;
    }
    result = build_tree(out, text, (int)size);
    if (result) {
        snprintf(error, error_size, "out of memory");
    } else if (count_members(*out) != scan.n_members) {
        snprintf(error, error_size, "a key stands twice in one object");
        jsonr_free(*out);
        *out = NULL;
        result = -EBADMSG;
    }
    return result;
}

void jsonr_free(struct json_object *tree)
{
    json_object_put(tree);
}

int jsonr_fail(const struct jsonr *in, const char *key, const char *format, ...)
{
    char sentence[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (key)
        snprintf(in->error, in->error_size, "%s%s: %s", in->path, key, sentence);
    else if (in->path[0])
        snprintf(in->error, in->error_size, "%.*s: %s", (int)strlen(in->path) - 1, in->path,
                 sentence);
    else
        snprintf(in->error, in->error_size, "%s", sentence);
    return -EBADMSG;
}

int jsonr_parse_object(struct jsonr *in, const void *text, size_t size)
{
    int result = jsonr_parse(&in->object, text, size, in->error, in->error_size);

    if (result || json_object_is_type(in->object, json_type_object))
        return result;
    jsonr_free(in->object);
    in->object = NULL;
    snprintf(in->error, in->error_size, "an object is expected");
    return -EBADMSG;
}

/* json-c reads a whole number that no 64 bits hold as the nearest one that they do: -ERANGE. */
static int as_number(struct json_object *node, double *out)
{
    switch (json_object_get_type(node)) {
    case json_type_int:
        if (json_object_get_uint64(node) == UINT64_MAX || json_object_get_int64(node) == INT64_MIN)
            return -ERANGE;
        *out = json_object_get_int64(node) < 0 ? (double)json_object_get_int64(node)
                                               : (double)json_object_get_uint64(node);
        return 0;
    case json_type_double:
        *out = json_object_get_double(node);
        return isfinite(*out) ? 0 : -ERANGE;
    default:
        return -EINVAL;
    }
}

struct value jsonr_scalar(struct json_object *node)
{
    double number;

    if (json_object_is_type(node, json_type_boolean))
        return value_bool(json_object_get_boolean(node));
    if (json_object_is_type(node, json_type_string))
        return value_text(json_object_get_string(node));
    if (as_number(node, &number) == 0)
        return value_number(number);
    return (struct value){.type = VALUE_NONE};
}

/* The member, or NULL with *error told: 0 where it may be absent. */
static struct json_object *find(const struct jsonr *in, const char *key, enum jsonr_need need,
                                int *error)
{
    struct json_object *member = NULL;

    *error = 0;
    json_object_object_get_ex(in->object, key, &member);
    if (!member && need == JSONR_REQUIRED)
        *error = jsonr_fail(in, key, "missing");
    return member;
}

int jsonr_integer(const struct jsonr *in, const char *key, enum jsonr_need need, int64_t *out)
{
    double number = 0;
    int error;
    struct json_object *member = find(in, key, need, &error);

    if (!member)
        return error;
    if (as_number(member, &number) || number < 0 || number > (double)JSONR_INTEGER_MAX ||
        number != floor(number))
        return jsonr_fail(in, key, "a whole number from 0 to 2^53-1 is expected");
    *out = (int64_t)number;
    return 0;
}

int jsonr_number(const struct jsonr *in, const char *key, enum jsonr_need need, double *out)
{
    int error;
    struct json_object *member = find(in, key, need, &error);

    if (!member)
        return error;
    if (as_number(member, out))
        return jsonr_fail(in, key, "a finite number is expected");
    return 0;
}

int jsonr_text(const struct jsonr *in, const char *key, enum jsonr_need need, const char **out)
{
    int error;
    struct json_object *member = find(in, key, need, &error);

    if (!member)
        return error;
    if (!json_object_is_type(member, json_type_string))
        return jsonr_fail(in, key, "a text is expected");
    *out = json_object_get_string(member);
    return 0;
}

int jsonr_value(const struct jsonr *in, const char *key, enum jsonr_need need, struct value *out)
{
    struct value value;
    int error;
    struct json_object *member = find(in, key, need, &error);

    if (!member)
        return error;
    value = jsonr_scalar(member);
    if (value.type == VALUE_NONE)
        return jsonr_fail(in, key, "a finite number, true, false or a text is expected");
    *out = value;
    return 0;
}

int jsonr_object(const struct jsonr *in, const char *key, enum jsonr_need need,
                 struct json_object **out)
{
    int error;
    struct json_object *member = find(in, key, need, &error);

    if (!member)
        return error;
    if (!json_object_is_type(member, json_type_object))
        return jsonr_fail(in, key, "an object is expected");
    *out = member;
    return 0;
}
