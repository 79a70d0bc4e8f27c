#include "decode.h"
#include "jsonr.h"

#include <json-c/json.h>
#include <string.h>

struct room {
    char *next;
    size_t left;
};

/* A text in JSON is never shorter than what it says, quotes included, so that all of a line's texts
 * with a NUL each fit into the line's own size; but for a field that is asked for twice. */
static struct value keep_text(struct value value, struct room *room)
{
    size_t size;

    if (value.type != VALUE_TEXT)
        return value;
    size = strlen(value.text) + 1;
    if (size > room->left)
        return (struct value){.type = VALUE_NONE};
    value.text = memcpy(room->next, value.text, size);
    room->next += size;
    room->left -= size;
    return value;
}

size_t decode_json(const char *line, const char *const *fields, size_t n_fields, struct value *raw,
                   char *scratch)
{
    char error[80];
    struct room room = {.next = scratch, .left = strlen(line) + 1};
    struct json_object *tree = NULL;
    size_t found = 0;

    memset(raw, 0, n_fields * sizeof *raw);
    if (jsonr_parse(&tree, line, strlen(line), error, sizeof error) != 0)
        return 0;
    for (size_t i = 0; i < n_fields && json_object_is_type(tree, json_type_object); i++) {
        struct json_object *member;

        if (!json_object_object_get_ex(tree, fields[i], &member))
            continue;
        raw[i] = keep_text(jsonr_scalar(member), &room);
        found++;
    }
    jsonr_free(tree);
    return found;
}
