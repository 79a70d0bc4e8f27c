#include "memory_read.h"

#include "notification_json.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_object *find_array(const struct jsonr *in, const char *key)
{
    json_object *array = NULL;

    if (json_object_object_get_ex(in->object, key, &array) &&
        json_object_is_type(array, json_type_array))
        return array;
    return NULL;
}

/* Reads each object of the array `key`. */
int memory_read_each(struct memory_reader *reader, const struct jsonr *in, const char *key,
                     memory_read_fn *read)
{
    json_object *array = find_array(in, key);
    int rc = 0;

    if (!array)
        return jsonr_fail(in, key, "an array is expected");
    for (size_t i = 0; rc == 0 && i < json_object_array_length(array); i++) {
        struct jsonr item = {.object = json_object_array_get_idx(array, i),
                             .path = "",
                             .error = in->error,
                             .error_size = in->error_size};

        if (!json_object_is_type(item.object, json_type_object))
            return jsonr_fail(in, key, "objects are expected in it");
        rc = read(reader, &item);
    }
    return rc;
}

/* At most `max` whole numbers. Returns how many, or -EBADMSG. */
int memory_read_times(const struct jsonr *in, const char *key, int64_t *out, size_t max)
{
    json_object *array = find_array(in, key);
    size_t n = array ? json_object_array_length(array) : 0;
    size_t surplus = n > max ? n - max : 0; /* the limit was lowered: the newest count */

    for (size_t i = surplus; i < n; i++) {
        json_object *item = json_object_array_get_idx(array, i);

        if (!json_object_is_type(item, json_type_int))
            return jsonr_fail(in, key, "times are expected in it");
        out[i - surplus] = json_object_get_int64(item);
    }
    return (int)(n - surplus);
}

int memory_read_channels(const struct memory_reader *reader, const struct jsonr *in,
                         const char *key, uint32_t *out)
{
    const struct settings *settings = reader->core->settings;
    json_object *array = find_array(in, key);
    uint32_t channels = 0;

    if (!array)
        return 0;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        json_object *item = json_object_array_get_idx(array, i);
        int place;

        if (!json_object_is_type(item, json_type_string))
            return jsonr_fail(in, key, "names are expected in it");
        place = channel_settings_find(settings->channels, settings->n_channels,
                                      json_object_get_string(item));
        if (place >= 0)
            channels |= UINT32_C(1) << place;
    }
    *out = channels;
    return 0;
}

/* Notes the group by its number; NULL where its route is no more. */
static int number_group(struct memory_reader *reader, struct group *group)
{
    struct group **grown = realloc(reader->groups, (reader->n_groups + 1) * sizeof(struct group *));

    if (!grown)
        return -ENOMEM;
    reader->groups = grown;
    grown[reader->n_groups++] = group;
    return 0;
}

static int read_group_members(struct groups *groups, struct group *group, const struct jsonr *in)
{
    int64_t forgotten = 0, order = 0, moment_ms = INT64_MAX;
    int rc = jsonr_integer(in, "news", JSONR_OPTIONAL, &group->news_ms);

    if (rc == 0)
        rc = jsonr_integer(in, "notified", JSONR_OPTIONAL, &group->notified_ms);
    if (rc == 0)
        rc = jsonr_integer(in, "forgotten", JSONR_OPTIONAL, &forgotten);
    if (rc == 0)
        rc = jsonr_integer(in, "order", JSONR_OPTIONAL, &order);
    if (rc == 0)
        rc = jsonr_integer(in, "moment", JSONR_OPTIONAL, &moment_ms);
    group->forgotten = (uint64_t)forgotten;
    group->moment.order = (uint64_t)order;
    if (group->moment.order >= groups->made)
        groups->made = group->moment.order + 1;
    groups_schedule(groups, group, moment_ms);
    return rc;
}

static int read_group(struct memory_reader *reader, const struct jsonr *in)
{
    struct groups *groups = &reader->core->groups;
    const char *name = NULL, *label = NULL;
    const struct route *route;
    struct group *group;
    int rc = jsonr_text(in, "route", JSONR_REQUIRED, &name);

    if (rc == 0)
        rc = jsonr_text(in, "label", JSONR_REQUIRED, &label);
    if (rc < 0)
        return rc;
    route = route_named(reader->core->settings->route, name);
    if (!route)
        return number_group(reader, NULL);
    group = groups_restore(groups, route, label);
    rc = group ? read_group_members(groups, group, in) : -ENOMEM;
    return rc < 0 ? rc : number_group(reader, group);
}

/* What the limit of a channel that is no more had held back is handed on to be sent. */
static int hand_on_held(struct memory_reader *reader, const char *channel, const struct jsonr *held)
{
    struct notification *summary;
    int rc = notification_read(&summary, held);

    if (rc < 0)
        return rc;
    summary->created_ms = reader->core->time_ms;
    notification_name(summary, ++reader->core->serial);
    reader->on_pending(reader->self, channel, summary);
    return 0;
}

static int read_held(struct limit *limit, const struct jsonr *in)
{
    struct notification *held;
    int rc = notification_read(&held, in);

    if (rc < 0)
        return rc;
    notification_close(limit->held); /* of a line for the same channel before */
    limit->held = held;
    return 0;
}

/* One of the configuration that has its name is newer; one too many, for which the configuration
 * has left no room, is left out. */
static int read_silence(struct memory_reader *reader, const struct jsonr *in)
{
    struct silence silence;
    int rc = silence_read(&silence, in);

    if (rc < 0)
        return rc;
    rc = -EEXIST;
    if (!silences_named(&reader->core->silences, silence.name))
        rc = core_silence(reader->core, &silence);
    if (rc < 0)
        silence_free(&silence);
    return rc == -ENOMEM ? rc : 0;
}

static int read_limit(struct memory_reader *reader, const struct jsonr *in)
{
    const struct settings *settings = reader->core->settings;
    struct jsonr inner = {.path = "held.", .error = in->error, .error_size = in->error_size};
    const char *name = NULL;
    struct limit *limit;
    int place, n, rc = jsonr_text(in, "channel", JSONR_REQUIRED, &name);

    if (rc < 0)
        return rc;
    rc = jsonr_object(in, "held", JSONR_OPTIONAL, &inner.object);
    if (rc < 0)
        return rc;
    place = channel_settings_find(settings->channels, settings->n_channels, name);
    if (place < 0)
        return inner.object ? hand_on_held(reader, name, &inner) : 0;
    limit = &reader->core->channels[place].limit;
    n = memory_read_times(in, "sent", limit->sent_ms, limit->max);
    if (n < 0)
        return n;
    limit->n = (size_t)n;
    return inner.object ? read_held(limit, &inner) : 0;
}

static int read_pending(struct memory_reader *reader, const struct jsonr *in)
{
    struct jsonr inner = {
        .path = "notification.", .error = in->error, .error_size = in->error_size};
    struct notification *notification;
    const char *channel = NULL;
    int rc = jsonr_text(in, "channel", JSONR_REQUIRED, &channel);

    if (rc == 0)
        rc = jsonr_object(in, "notification", JSONR_REQUIRED, &inner.object);
    if (rc == 0)
        rc = notification_read(&notification, &inner);
    if (rc == 0)
        reader->on_pending(reader->self, channel, notification);
    return rc;
}

static int read_head(struct memory_reader *reader, const struct jsonr *in)
{
    int64_t serial = 0;
    int rc = jsonr_integer(in, "time", JSONR_REQUIRED, &reader->core->time_ms);

    if (rc == 0)
        rc = jsonr_integer(in, "serial", JSONR_REQUIRED, &serial);
    reader->core->serial = (uint64_t)serial;
    return rc;
}

static int read_end(struct memory_reader *reader, const struct jsonr *in)
{
    (void)reader;
    (void)in;
    return 0; /* memory_check() has looked at it */
}

static int read_object(struct memory_reader *reader, const struct jsonr *in)
{
    static const struct {
        const char *kind;
        memory_read_fn *read;
    } kinds[] = {{"memory", read_head},     {"group", read_group}, {"alert", memory_read_record},
                 {"silence", read_silence}, {"limit", read_limit}, {"pending", read_pending},
                 {"end", read_end}};
    struct jsonr inner = {.path = "", .error = in->error, .error_size = in->error_size};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int rc = jsonr_object(in, kinds[i].kind, JSONR_OPTIONAL, &inner.object);

        if (rc < 0)
            return rc;
        if (inner.object)
            return kinds[i].read(reader, &inner);
    }
    return jsonr_fail(in, NULL, "an unknown line");
}

static int read_lines(struct memory_reader *reader, FILE *file, struct jsonr *in)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    int rc = 0;

    while (rc == 0 && (size = getline(&line, &capacity, file)) >= 0) {
        rc = jsonr_parse_object(in, line, (size_t)size);
        if (rc < 0)
            break;
        rc = read_object(reader, in);
        jsonr_free(in->object);
    }
    free(line);
    if (rc == 0 && ferror(file))
        rc = -EIO;
    return rc;
}

int memory_read(FILE *file, struct core *core, memory_pending_fn *on_pending, void *self,
                struct jsonr *in)
{
    struct memory_reader reader = {.core = core, .on_pending = on_pending, .self = self};
    int rc = memory_check(file, in);

    rewind(file);
    if (rc == 0)
        rc = read_lines(&reader, file, in);
    if (rc == 0)
        rc = core_rejoin(core);
    free(reader.groups);
    return rc;
}

int memory_load(const char *path, struct core *core, memory_pending_fn *on_pending, void *self,
                char *error, size_t error_size)
{
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    FILE *file = fopen(path, "re");
    int rc;

    if (!file)
        return -errno;
    rc = memory_read(file, core, on_pending, self, &in);
    fclose(file);
    return rc;
}
