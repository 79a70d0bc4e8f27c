#include "meta_read.h"
#include "jsonr.h"

#include <errno.h>
#include <json-c/json.h>

typedef int item_fn(const struct meta_reader *reader, const struct jsonr *item);

static int read_array(const struct meta_reader *reader, const struct jsonr *in, const char *key,
                      item_fn *on_item)
{
    struct json_object *array;
    if (!json_object_object_get_ex(in->object, key, &array) ||
        !json_object_is_type(array, json_type_array))
        return jsonr_fail(in, key, "expected an array");
    int error = 0;
    for (size_t i = 0; !error && i < json_object_array_length(array); i++) {
        struct jsonr item = *in;
        item.object = json_object_array_get_idx(array, i);
        if (!json_object_is_type(item.object, json_type_object))
            return jsonr_fail(in, key, "expected objects in it");
        error = on_item(reader, &item);
    }
    return error;
}

static int read_point(const struct meta_reader *reader, const struct jsonr *item)
{
    const char *measurement, *name;
    int error = jsonr_text(item, "name", JSONR_REQUIRED, &name);
    if (!error)
        error = jsonr_text(item, "measurement", JSONR_REQUIRED, &measurement);
    if (error || !reader->on_point)
        return error;
    return reader->on_point(reader->self, measurement, name);
}

static int read_actuator(const struct meta_reader *reader, const struct jsonr *item)
{
    const char *name;
    int error = jsonr_text(item, "name", JSONR_REQUIRED, &name);
    if (error || !reader->on_actuator)
        return error;
    return reader->on_actuator(reader->self, name);
}

int meta_read(const struct meta_reader *reader, const void *payload, size_t size, char *error,
              size_t error_size)
{
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    int status = jsonr_parse_object(&in, payload, size);
    if (!status)
        status = read_array(reader, &in, "points", read_point);
    if (!status)
        status = read_array(reader, &in, "actuators", read_actuator);
    jsonr_free(in.object);
    return status;
}
