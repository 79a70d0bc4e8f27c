#include "decode.h"
#include "jsonr.h"

#include <json-c/json.h>
#include <string.h>

/* A text in JSON is never shorter than what it says, so that no text is longer than the line. */
static struct value keep_text(struct value value, char **scratch)
{
    size_t size;

    if (value.type != VALUE_TEXT)
        return value;
    size = strlen(value.text) + 1;
    value.text = memcpy(*scratch, value.text, size);
    *scratch += size;
    return value;
}

static bool find(struct json_object *tree, const char *field, struct json_object **out)
{
    if (field[0] == '/')
        return json_pointer_get(tree, field, out) == 0;
    return json_object_is_type(tree, json_type_object) &&
           json_object_object_get_ex(tree, field, out);
}

size_t decode_json(const struct decoder *decoder, const char *line, struct value *raw,
                   char *scratch)
{
    char error[80];
    struct json_object *tree = NULL;
    size_t found = 0;

    if (jsonr_parse(&tree, line, strlen(line), error, sizeof error) != 0)
        return 0;
    for (size_t i = 0; i < decoder->n_fields; i++) {
        struct json_object *member;

        if (!find(tree, decoder->fields[i], &member))
            continue;
        raw[i] = keep_text(jsonr_scalar(member), &scratch);
        found++;
    }
    jsonr_free(tree);
    return found;
}
