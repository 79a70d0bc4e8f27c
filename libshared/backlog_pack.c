#include "backlog_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void backlog_pack_record(struct buffer *out, const char *topic, const char *payload, size_t size)
{
    buffer_append(out, topic, strlen(topic) + 1);
    buffer_append(out, payload, size);
}

/* The last array of the topic, if it has room: only the last one may grow, or the order is lost. */
static struct backlog_array *find(const struct backlog_pack *pack, const char *topic)
{
    for (size_t i = pack->n_arrays; i-- > 0;)
        if (strcmp(pack->arrays[i].topic, topic) == 0)
            return reading_array_is_full(&pack->arrays[i].readings) ? NULL : &pack->arrays[i];
    return NULL;
}

static struct backlog_array *begin(struct backlog_pack *pack, const char *topic)
{
    if (pack->n_arrays == pack->capacity) {
        size_t capacity = pack->capacity ? 2 * pack->capacity : 8;
        struct backlog_array *grown = realloc(pack->arrays, capacity * sizeof *grown);
        if (!grown)
            return NULL;
        pack->arrays = grown;
        pack->capacity = capacity;
    }
    struct backlog_array *array = &pack->arrays[pack->n_arrays];
    *array = (struct backlog_array){.topic = strdup(topic)};
    if (!array->topic)
        return NULL;
    pack->n_arrays++;
    return array;
}

int backlog_pack_add(struct backlog_pack *pack, const void *record, size_t size)
{
    const char *topic = record;
    const char *end = memchr(record, '\0', size);
    if (!end || end == topic)
        return -EBADMSG;
    struct backlog_array *array = find(pack, topic);
    if (!array)
        array = begin(pack, topic);
    if (!array)
        return -ENOMEM;
    pack->size += size;
    return reading_array_add_encoded(&array->readings, end + 1, size - (size_t)(end + 1 - topic));
}

void backlog_pack_each(struct backlog_pack *pack, backlog_pack_fn *on_message, void *self)
{
    for (size_t i = 0; i < pack->n_arrays; i++) {
        size_t size;
        const char *payload = reading_array_end(&pack->arrays[i].readings, &size);
        on_message(self, pack->arrays[i].topic, payload, size);
    }
}

void backlog_pack_clear(struct backlog_pack *pack)
{
    for (size_t i = 0; i < pack->n_arrays; i++) {
        free(pack->arrays[i].topic);
        reading_array_free(&pack->arrays[i].readings);
    }
    free(pack->arrays);
    *pack = (struct backlog_pack){0};
}
