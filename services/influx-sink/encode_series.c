#include "encode_series.h"

#include "topic.h"

#include <errno.h>
#include <json-c/json.h>

enum { N_REQUIRED = 5, N_FIELDS = 7 };

static int put_series(struct lines *lines, const struct jsonr *in, int64_t ts_ms)
{
    static const char *const tags[] = {"device", "location", "measurement"};
    static const char *const fields[] = {"received", "duplicate", "missing", "late",
                                         "restarts", "stored",    "dead"};
    const char *names[3] = {NULL};
    int64_t numbers[N_FIELDS] = {0, 0, 0, 0, 0, -1, -1}; /* negative: not told, by an older sink */

    for (int i = 0; i < 3; i++) {
        int error = jsonr_text(in, tags[i], JSONR_REQUIRED, &names[i]);

        if (error)
            return error;
        if (!topic_name_valid(names[i]))
            return jsonr_fail(in, tags[i], "a name is 1 to 64 of a-z, 0-9, _ and -");
    }
    for (int i = 0; i < N_FIELDS; i++) {
        int error = jsonr_integer(in, fields[i], i < N_REQUIRED ? JSONR_REQUIRED : JSONR_OPTIONAL,
                                  &numbers[i]);

        if (error)
            return error;
    }
    lines_begin(lines, "health");
    lines_tag(lines, "device_id", names[0]);
    lines_tag(lines, "location", names[1]);
    lines_tag(lines, "telemetry", names[2]);
    for (int i = 0; i < N_FIELDS; i++)
        if (numbers[i] >= 0)
            lines_number(lines, fields[i], (double)numbers[i]);
    lines_end(lines, ts_ms);
    return 0;
}

int encode_series(struct lines *lines, const struct jsonr *in, int64_t ts_ms)
{
    struct json_object *array = NULL;

    if (!json_object_object_get_ex(in->object, "series", &array) || !array)
        return 0;
    if (!json_object_is_type(array, json_type_array))
        return jsonr_fail(in, "series", "an array is expected");
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct jsonr one = {json_object_array_get_idx(array, i), "series.", in->error,
                            in->error_size};
        int error = json_object_is_type(one.object, json_type_object)
                        ? put_series(lines, &one, ts_ms)
                        : jsonr_fail(in, "series", "objects are expected");

        if (error)
            return error;
    }
    return 0;
}
