#include "reading_json.h"

#include "topic.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#define REASON_MAX 64 /* characters of a fault's reason */

void reading_write_members(const struct reading *reading, struct jsonw *w)
{
    jsonw_integer(w, "ts", reading->ts_ms);
    jsonw_unsigned(w, "seq", reading->seq);
    jsonw_object_begin(w, "values");
    for (size_t i = 0; i < reading->n_fields; i++)
        jsonw_value(w, reading->fields[i].name, &reading->fields[i].value);
    jsonw_object_end(w);
    if (reading->n_faults == 0)
        return;
    jsonw_object_begin(w, "bad");
    for (size_t i = 0; i < reading->n_faults; i++)
        jsonw_text(w, reading->faults[i].name, reading->faults[i].reason);
    jsonw_object_end(w);
}

int reading_encode(const struct reading *reading, struct buffer *out)
{
    struct jsonw w = jsonw_start(out);

    jsonw_object_begin(&w, NULL);
    reading_write_members(reading, &w);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}

/* Says why an element of "values" or "bad" was not added. */
static int refuse(const struct jsonr *in, const char *member, const char *name, int error)
{
    char path[96];

    if (error == -E2BIG)
        return jsonr_fail(in, member, "more than %d of them", READING_FIELDS_MAX);
    snprintf(path, sizeof path, "%s.%.64s", member, name);
    if (error == -EINVAL)
        return jsonr_fail(in, path, "a name is 1 to 64 of a-z, 0-9, _ and -");
    return error;
}

static int read_values(struct reading *reading, const struct jsonr *in, struct json_object *values)
{
    json_object_object_foreach(values, name, node)
    {
        struct value value = jsonr_scalar(node);
        char path[96];
        int error;

        if (value.type == VALUE_NONE) {
            snprintf(path, sizeof path, "values.%.64s", name);
            return jsonr_fail(in, path, "a finite number, true, false or a text is expected");
        }
        error = topic_name_valid(name) ? reading_add(reading, name, value) : -EINVAL;
        if (error)
            return refuse(in, "values", name, error);
    }
    return 0;
}

static int read_faults(struct reading *reading, const struct jsonr *in, struct json_object *bad)
{
    json_object_object_foreach(bad, name, node)
    {
        char path[96];
        int error;

        if (!json_object_is_type(node, json_type_string) || json_object_get_string_len(node) == 0 ||
            json_object_get_string_len(node) > REASON_MAX) {
            snprintf(path, sizeof path, "bad.%.64s", name);
            return jsonr_fail(in, path, "a reason of 1 to %d bytes is expected", REASON_MAX);
        }
        error = topic_name_valid(name)
                    ? reading_add_fault(reading, name, json_object_get_string(node))
                    : -EINVAL;
        if (error)
            return refuse(in, "bad", name, error);
    }
    return 0;
}

int reading_read_members(struct reading *reading, const struct jsonr *in)
{
    struct json_object *values = NULL, *bad = NULL;
    int64_t ts_ms = 0, seq = 0;
    int error = jsonr_integer(in, "ts", JSONR_REQUIRED, &ts_ms);

    if (!error)
        error = jsonr_integer(in, "seq", JSONR_REQUIRED, &seq);
    if (!error)
        error = jsonr_object(in, "values", JSONR_REQUIRED, &values);
    if (!error)
        error = jsonr_object(in, "bad", JSONR_OPTIONAL, &bad);
    if (error)
        return error;
    reading_reset(reading, ts_ms, (uint64_t)seq);
    error = read_values(reading, in, values);
    if (!error && bad)
        error = read_faults(reading, in, bad);
    return error;
}

static int read_one(struct reading *reading, struct json_object *node, const char *path,
                    char *error, size_t error_size)
{
    struct jsonr in = {node, path, error, error_size};

    if (!json_object_is_type(node, json_type_object))
        return jsonr_fail(&in, NULL, "a reading must be an object");
    return reading_read_members(reading, &in);
}

static int read_element(struct reading *reading, struct json_object *array, size_t index,
                        char *error, size_t error_size)
{
    char path[32];

    snprintf(path, sizeof path, "[%zu].", index);
    return read_one(reading, json_object_array_get_idx(array, index), path, error, error_size);
}

/* Twice over the array, so that nothing is handed over before all is known to be good. */
static int read_array(struct json_object *array, reading_fn *on_reading, void *self, char *error,
                      size_t error_size)
{
    struct reading reading = {0};
    size_t n = json_object_array_length(array);
    int result = 0;

    if (n == 0) {
        snprintf(error, error_size, "an array without a reading");
        return -EBADMSG;
    }
    for (size_t i = 0; i < n && result == 0; i++)
        result = read_element(&reading, array, i, error, error_size);
    for (size_t i = 0; i < n && result == 0; i++) {
        result = read_element(&reading, array, i, error, error_size);
        if (result == 0)
            on_reading(self, &reading);
    }
    reading_free(&reading);
    return result;
}

int reading_json_decode(const void *payload, size_t size, reading_fn *on_reading, void *self,
                        char *error, size_t error_size)
{
    struct reading reading = {0};
    struct json_object *tree;
    int result = jsonr_parse(&tree, payload, size, error, error_size);

    if (result)
        return result;
    if (json_object_is_type(tree, json_type_array)) {
        result = read_array(tree, on_reading, self, error, error_size);
    } else {
        result = read_one(&reading, tree, "", error, error_size);
        if (result == 0)
            on_reading(self, &reading);
        reading_free(&reading);
    }
    jsonr_free(tree);
    return result;
}
