#include "config_tree.h"

#include "buffer.h"
#include "config_suggest.h"
#include "hash.h"
#include "jsonr.h"
#include "number.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A node belongs to its `effective`, as that one's userdata, and goes with it. */
struct config_node {
    struct config *config;
    struct json_object *source; /* borrowed; NULL where absent */
    struct json_object
        *effective; /* what was asked for, as it is in effect: an object or an array */
    char *path;
    bool broken; /* reported already: what is missing in it is no news */
};

/* ---- problems ---- */

const char *config_name(const struct config_node *node)
{
    return node->config->name;
}

const char *config_keep(struct config_node *node, char *text)
{
    return config_strings_add(&node->config->kept, text);
}

/* "devices[2].name"; a key that would be misread stands as ["a key"]. Owned by the caller. */
static char *slot_path(struct config_slot slot)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *parent = slot.node->path;
    char *path;
    int length;
    if (!slot.key)
        length = asprintf(&path, "%s[%zu]", parent, slot.index);
    else if (slot.key[0] == '\0' || slot.key[strspn(slot.key, plain)] != '\0')
        length = asprintf(&path, "%s[\"%s\"]", parent, slot.key);
    else
        length = asprintf(&path, "%s%s%s", parent, parent[0] ? "." : "", slot.key);
    return length < 0 ? NULL : path;
}

__attribute__((format(printf, 2, 0))) static void
slot_problem(struct config_slot slot, const char *format, va_list arguments)
{
    if (!slot.node || slot.node->broken)
        return;
    char *path = slot_path(slot);
    if (path)
        config_strings_format(&slot.node->config->problems, path, format, arguments);
    else
        slot.node->config->no_memory = true;
    free(path);
}

void config_slot_problem(struct config_slot slot, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    slot_problem(slot, format, arguments);
    va_end(arguments);
}

void config_problem(struct config_node *node, const char *key, const char *format, ...)
{
    if (!node || node->broken)
        return;
    const char *where = node->path[0] ? node->path : node->config->name;
    va_list arguments;
    va_start(arguments, format);
    if (key)
        slot_problem((struct config_slot){node, key, 0}, format, arguments);
    else
        config_strings_format(&node->config->problems, where, format, arguments);
    va_end(arguments);
}

/* ---- nodes and slots ---- */

static void node_free(struct json_object *effective, void *userdata)
{
    (void)effective;
    struct config_node *node = userdata;
    free(node->path);
    free(node);
}

static struct config_node *node_of(struct json_object *effective)
{
    bool container = json_object_is_type(effective, json_type_object) ||
                     json_object_is_type(effective, json_type_array);
    return container ? json_object_get_userdata(effective) : NULL;
}

/* Takes ownership of `path`, NULL: no memory. Returns the node's owner, NULL likewise. */
static struct json_object *node_open(struct config *config, enum json_type type, char *path)
{
    struct config_node *node = calloc(1, sizeof *node);
    struct json_object *effective =
        type == json_type_array ? json_object_new_array() : json_object_new_object();
    if (!node || !effective || !path) {
        free(node);
        free(path);
        json_object_put(effective);
        config->no_memory = true;
        return NULL;
    }
    *node = (struct config_node){.config = config, .effective = effective, .path = path};
    json_object_set_userdata(effective, node, node_free);
    return effective;
}

static struct json_object *slot_get(struct json_object *container, struct config_slot slot)
{
    struct json_object *found = NULL;
    if (slot.key && json_object_is_type(container, json_type_object))
        json_object_object_get_ex(container, slot.key, &found);
    else if (!slot.key && json_object_is_type(container, json_type_array))
        found = json_object_array_get_idx(container, slot.index);
    return found;
}

/* Takes ownership of `json`. A node that is there already stays: somebody may hold it. Returns
 * whether `json` is in place; where it is not, it is gone. */
static bool slot_put(struct config_slot slot, struct json_object *json)
{
    struct json_object *effective = slot.node->effective;
    bool fits = json_object_is_type(effective, slot.key ? json_type_object : json_type_array);
    bool put = false;
    if (fits && !node_of(slot_get(effective, slot))) {
        int error = slot.key ? json_object_object_add(effective, slot.key, json)
                             : json_object_array_put_idx(effective, slot.index, json);
        put = error == 0;
        slot.node->config->no_memory |= !put;
    }
    if (!put)
        json_object_put(json);
    return put;
}

/* For people, short. */
static void describe(struct json_object *json, struct buffer *out)
{
    if (json_object_is_type(json, json_type_object))
        buffer_text(out, "an object");
    else if (json_object_is_type(json, json_type_array))
        buffer_text(out, "an array");
    else if (json_object_is_type(json, json_type_string))
        buffer_format(out, "\"%.60s\"", json_object_get_string(json));
    else
        buffer_text(out, json_object_to_json_string(json));
}

static void wrong_type(struct config_slot slot, const char *expected, struct json_object *got)
{
    struct buffer text = {0};
    describe(got, &text);
    config_slot_problem(slot, "expected %s, got %s", expected, buffer_string(&text));
    buffer_free(&text);
}

static struct config_node *child(struct config_slot slot, enum json_type type)
{
    if (!slot.node)
        return NULL;
    struct config_node *known = node_of(slot_get(slot.node->effective, slot));
    if (known)
        return known;
    struct json_object *effective = node_open(slot.node->config, type, slot_path(slot));
    if (!effective || !slot_put(slot, effective))
        return NULL;
    struct config_node *node = node_of(effective);
    struct json_object *source = slot_get(slot.node->source, slot);
    node->broken = slot.node->broken;
    if (!source || json_object_is_type(source, type)) {
        node->source = source;
    } else {
        wrong_type(slot, type == json_type_array ? "an array" : "an object", source);
        node->broken = true;
    }
    return node;
}

struct config_node *config_object(struct config_node *node, const char *key)
{
    return child((struct config_slot){node, key, 0}, json_type_object);
}

struct config_node *config_array(struct config_node *node, const char *key)
{
    return child((struct config_slot){node, key, 0}, json_type_array);
}

struct config_node *config_item(struct config_node *node, size_t index)
{
    return child((struct config_slot){node, NULL, index}, json_type_object);
}

size_t config_length(const struct config_node *node)
{
    if (!node || !node->source)
        return 0;
    if (json_object_is_type(node->source, json_type_array))
        return json_object_array_length(node->source);
    return (size_t)json_object_object_length(node->source);
}

const char *config_key(const struct config_node *node, size_t index)
{
    if (index >= config_length(node) || !json_object_is_type(node->source, json_type_object))
        return NULL;
    struct lh_entry *entry = json_object_get_object(node->source)->head;
    while (index-- > 0)
        entry = entry->next;
    return lh_entry_k(entry);
}

bool config_has(const struct config_node *node, const char *key)
{
    struct config_slot slot = {.key = key};
    return node && slot_get(node->source, slot);
}

enum config_kind config_kind(const struct config_node *node, const char *key, size_t index)
{
    struct config_slot slot = {.key = key, .index = index};
    struct json_object *found = node ? slot_get(node->source, slot) : NULL;
    if (!found)
        return CONFIG_ABSENT;
    if (json_object_is_type(found, json_type_object))
        return CONFIG_OBJECT;
    return json_object_is_type(found, json_type_array) ? CONFIG_ARRAY : CONFIG_SCALAR;
}

uint64_t config_digest(uint64_t seed, const struct config_node *node)
{
    const char *text = node && node->source ? json_object_to_json_string(node->source) : "";
    return hash_text(seed, text);
}

/* The finalizer of MurmurHash3 (Austin Appleby, public domain), so that sums of it stay apart. */
static uint64_t stir(uint64_t hash, uint64_t other)
{
    hash = hash * 31 + other;
    hash = (hash ^ hash >> 33) * UINT64_C(0xff51afd7ed558ccd);
    hash = (hash ^ hash >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash ^ hash >> 33;
}

static bool is_left_out(const char *key, const char *const *without)
{
    for (; without && *without; without++)
        if (strcmp(key, *without) == 0)
            return true;
    return false;
}

/* Members are added up, so that their order does not count. */
static uint64_t meaning_of(struct json_object *json, const char *const *without)
{
    uint64_t out = 0;
    if (json_object_is_type(json, json_type_object)) {
        json_object_object_foreach(json, key, value)
        {
            if (!is_left_out(key, without))
                out += stir(hash_text(HASH_START, key), meaning_of(value, NULL));
        }
    } else if (json_object_is_type(json, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(json); i++)
            out = stir(out, meaning_of(json_object_array_get_idx(json, i), NULL));
    } else {
        return hash_text(HASH_START, json_object_to_json_string(json));
    }
    return stir(out, (uint64_t)json_object_get_type(json));
}

uint64_t config_meaning(const struct config_node *node, const char *const *without)
{
    return meaning_of(node ? node->source : NULL, without);
}

void config_tree_forget(struct config_node *root, const char *key)
{
    if (root->source)
        json_object_object_del(root->source, key);
    json_object_object_del(root->effective, key);
}

const char *config_path(const struct config_node *node)
{
    return node ? node->path : "";
}

/* The scalar that `json` is; VALUE_NONE where it is none or cannot be used. */
static struct value scalar(struct json_object *json)
{
    switch (json_object_get_type(json)) {
    case json_type_boolean:
        return value_bool(json_object_get_boolean(json));
    case json_type_int:
    case json_type_double:
        if (isfinite(json_object_get_double(json)))
            return value_number(json_object_get_double(json));
        break;
    case json_type_string: /* without a NUL within: jsonr takes none */
        return value_text(json_object_get_string(json));
    default:
        break;
    }
    return (struct value){.type = VALUE_NONE};
}

struct value config_slot_take(struct config_slot slot, const struct config_want *want)
{
    struct value none = {.type = VALUE_NONE};
    struct json_object *json = slot.node ? slot_get(slot.node->source, slot) : NULL;
    if (!json) {
        if (want->required)
            config_slot_problem(slot, "is required, expected %s", want->what);
        return none;
    }
    struct value value = scalar(json);
    if (value.type != VALUE_NONE && (want->type == VALUE_NONE || want->type == value.type))
        return value;
    wrong_type(slot, want->what, json);
    return none;
}

static struct json_object *json_of(struct value value)
{
    char text[NUMBER_SIZE];
    switch (value.type) {
    case VALUE_NONE:
        return NULL;
    case VALUE_BOOL:
        return json_object_new_boolean(value.boolean);
    case VALUE_NUMBER:
        number_format(text, value.number);
        return json_object_new_double_s(value.number, text);
    case VALUE_TEXT:
        return json_object_new_string(value.text);
    }
    return NULL;
}

void config_slot_record(struct config_slot slot, struct value effective)
{
    if (slot.node)
        slot_put(slot, json_of(effective));
}

/* ---- the document ---- */

struct config_node *config_tree_open(struct config *config)
{
    struct config_node *root = node_of(node_open(config, json_type_object, strdup("")));
    if (root)
        root->broken = true;
    return root;
}

void config_tree_close(struct config_node *root)
{
    if (!root)
        return;
    struct json_object *document = root->source;
    json_object_put(root->effective);
    json_object_put(document);
}

int config_tree_parse(struct config_node *root, const char *text, size_t size, char *error,
                      size_t error_size)
{
    struct json_object *document;
    int result = jsonr_parse(&document, text, size, error, error_size);
    if (result)
        return result;
    if (!json_object_is_type(document, json_type_object)) {
        snprintf(error, error_size, "expected one object");
        json_object_put(document);
        return -EBADMSG;
    }
    root->source = document;
    root->broken = false;
    return 0;
}

int config_override(struct config *config, const char *section, const char *key, const char *text)
{
    struct json_object *document = config->root->source;
    if (!document)
        return 0;
    struct json_object *object = NULL;
    if (!json_object_object_get_ex(document, section, &object) || !object) {
        object = json_object_new_object();
        if (!object || json_object_object_add(document, section, object) != 0) {
            json_object_put(object);
            return -ENOMEM;
        }
    }
    if (!json_object_is_type(object, json_type_object))
        return 0; /* a problem once it is read */
    struct json_object *value = json_object_new_string(text);
    if (!value || json_object_object_add(object, key, value) != 0) {
        json_object_put(value);
        return -ENOMEM;
    }
    return 0;
}

/* ---- what was not asked for, and what was ---- */

static void unknown_key(struct config_node *node, const char *key)
{
    const char *nearest = NULL;
    unsigned distance = UINT_MAX;
    struct buffer known = {0};
    json_object_object_foreach(node->effective, candidate, value)
    {
        (void)value;
        buffer_format(&known, "%s\"%s\"", known.size ? ", " : "", candidate);
        unsigned candidate_distance = config_edit_distance(key, candidate);
        if (candidate_distance < distance) {
            distance = candidate_distance;
            nearest = candidate;
        }
    }
    struct config_slot slot = {node, key, 0};
    if (nearest && config_likely_slip(key, distance))
        config_slot_problem(slot, "unknown key, did you mean \"%s\"?", nearest);
    else if (known.size > 0)
        config_slot_problem(slot, "unknown key, known here: %s", buffer_string(&known));
    else
        config_slot_problem(slot, "unknown key, none is known here");
    buffer_free(&known);
}

/* In what is broken nothing was asked for, so everything would be unknown. */
void config_tree_check(struct config_node *node)
{
    if (!node || node->broken || !node->source)
        return;
    if (json_object_is_type(node->effective, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(node->effective); i++)
            config_tree_check(node_of(json_object_array_get_idx(node->effective, i)));
        return;
    }
    json_object_object_foreach(node->source, key, unused)
    {
        (void)unused;
        struct json_object *asked;
        if (json_object_object_get_ex(node->effective, key, &asked))
            config_tree_check(node_of(asked));
        else
            unknown_key(node, key);
    }
}

int config_print(const struct config *config, FILE *out)
{
    const char *text = json_object_to_json_string_ext(
        config->root->effective,
        JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
    if (!text)
        return -ENOMEM;
    errno = 0;
    if (fprintf(out, "%s\n", text) < 0 || fflush(out) != 0)
        return errno ? -errno : -EIO;
    return 0;
}
