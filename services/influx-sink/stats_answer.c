#include "stats_answer.h"

#include "jsonr.h"
#include "jsonw.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

/* The only element of an array member; NULL where there is none. */
static struct json_object *only(struct json_object *object, const char *key)
{
    struct json_object *array = NULL;

    if (!json_object_object_get_ex(object, key, &array) ||
        !json_object_is_type(array, json_type_array) || json_object_array_length(array) != 1)
        return NULL;
    array = json_object_array_get_idx(array, 0);
    return json_object_is_type(array, json_type_object) ? array : NULL;
}

static struct json_object *array_of(struct json_object *object, const char *key)
{
    struct json_object *array = NULL;

    json_object_object_get_ex(object, key, &array);
    return json_object_is_type(array, json_type_array) ? array : NULL;
}

/* {"error": "…"}, at the top or in a result; "partial" is an answer that the store cut. */
static int store_failed(struct json_object *object, char *error, size_t error_size)
{
    struct json_object *node = NULL;

    if (json_object_object_get_ex(object, "error", &node)) {
        snprintf(error, error_size, "%s", node ? json_object_get_string(node) : "no reason given");
        return -EREMOTEIO;
    }
    if (json_object_object_get_ex(object, "partial", &node) && json_object_get_boolean(node)) {
        snprintf(error, error_size, "the store's own limit of rows cut its answer");
        return -EREMOTEIO;
    }
    return 0;
}

static struct json_object *cell(struct json_object *rows, size_t row, size_t column)
{
    struct json_object *values = json_object_array_get_idx(rows, row);

    return json_object_is_type(values, json_type_array) ? json_object_array_get_idx(values, column)
                                                        : NULL;
}

static bool is_number(struct json_object *node)
{
    return json_object_is_type(node, json_type_int) || json_object_is_type(node, json_type_double);
}

static bool has_numbers(struct json_object *rows, size_t column)
{
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        if (is_number(cell(rows, i, column)))
            return true;
    return false;
}

static void put_column(struct jsonw *w, const char *field, struct json_object *rows, size_t column)
{
    jsonw_array_begin(w, field);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *value = cell(rows, i, column);

        if (!is_number(value))
            continue;
        jsonw_array_begin(w, NULL);
        jsonw_integer(w, NULL, json_object_get_int64(cell(rows, i, 0)));
        jsonw_number(w, NULL, json_object_get_double(value));
        jsonw_array_end(w);
    }
    jsonw_array_end(w);
}

/* "mean_temperature" → "temperature"; NULL for a column that is none of ours. */
static const char *field_of(struct json_object *column, enum stats_function function)
{
    const char *prefix = stats_function_name(function);
    const char *name = json_object_get_string(column);
    size_t length = strlen(prefix);

    if (!json_object_is_type(column, json_type_string) || strncmp(name, prefix, length) != 0 ||
        name[length] != '_')
        return NULL;
    return name + length + 1;
}

static bool well_formed(struct json_object *columns, struct json_object *rows)
{
    struct json_object *first = columns ? json_object_array_get_idx(columns, 0) : NULL;

    if (!rows || !json_object_is_type(first, json_type_string) ||
        strcmp(json_object_get_string(first), "time") != 0)
        return false;
    for (size_t i = 0; i < json_object_array_length(rows); i++)
        if (!json_object_is_type(cell(rows, i, 0), json_type_int) ||
            json_object_get_int64(cell(rows, i, 0)) < 0)
            return false;
    return true;
}

static void put_series(struct jsonw *w, struct json_object *columns, struct json_object *rows,
                       enum stats_function function)
{
    for (size_t i = 1; i < json_object_array_length(columns); i++) {
        const char *field = field_of(json_object_array_get_idx(columns, i), function);

        if (field && has_numbers(rows, i))
            put_column(w, field, rows, i);
    }
}

static int convert(struct json_object *tree, enum stats_function function, struct jsonw *w,
                   char *error, size_t error_size)
{
    struct json_object *result = only(tree, "results"), *series, *columns = NULL, *rows = NULL;
    int failed = store_failed(tree, error, error_size);

    if (!failed && result)
        failed = store_failed(result, error, error_size);
    if (failed)
        return failed;
    series = result ? only(result, "series") : NULL;
    if (series) {
        failed = store_failed(series, error, error_size);
        columns = array_of(series, "columns");
        rows = array_of(series, "values");
    }
    if (failed)
        return failed;
    if (!result || (series && !well_formed(columns, rows)) ||
        (!series && json_object_object_get_ex(result, "series", NULL))) {
        snprintf(error, error_size, "the store's answer is none to the query");
        return -EBADMSG;
    }
    jsonw_object_begin(w, NULL);
    jsonw_text(w, "result", "ok");
    jsonw_object_begin(w, "series");
    if (series)
        put_series(w, columns, rows, function);
    jsonw_object_end(w);
    jsonw_object_end(w);
    return 0;
}

int stats_answer_convert(const struct buffer *body, enum stats_function function,
                         struct buffer *out, char *error, size_t error_size)
{
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    struct jsonw w = jsonw_start(out);
    int result = jsonr_parse_object(&in, buffer_string(body), body->size);

    if (result)
        return result;
    result = convert(in.object, function, &w, error, error_size);
    jsonr_free(in.object);
    return result ? result : out->failed ? -ENOMEM : 0;
}

int stats_answer_failed(const char *reason, const char *message, struct buffer *out)
{
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "result", "failed");
    jsonw_text(&w, "reason", reason);
    jsonw_bytes(&w, "message", message, strlen(message));
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}
