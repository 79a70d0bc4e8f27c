#include "memory.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VERSION 1

static void write_alert(struct jsonw *w, const struct life_alert *alert)
{
    jsonw_object_begin(w, NULL);
    jsonw_text(w, "location", alert->location);
    jsonw_text(w, "device", alert->device);
    jsonw_text(w, "rule", alert->rule);
    jsonw_unsigned(w, "episode", alert->episode);
    jsonw_integer(w, "since", alert->since_ms);
    jsonw_integer(w, "state", (int64_t)alert->state);
    jsonw_integer(w, "severity", (int64_t)alert->severity);
    jsonw_integer(w, "told", alert->told);
    jsonw_object_end(w);
}

void memory_begin(struct memory_writer *writer, const struct life *life)
{
    *writer = (struct memory_writer){0};
    writer->w = jsonw_start(&writer->text);
    jsonw_object_begin(&writer->w, NULL);
    jsonw_integer(&writer->w, "version", VERSION);
    jsonw_array_begin(&writer->w, "alerts");
    for (size_t i = 0; i < life_size(life); i++)
        write_alert(&writer->w, life_at(life, i));
    jsonw_array_end(&writer->w);
    jsonw_array_begin(&writer->w, "pending");
}

void memory_add(struct memory_writer *writer, const char *channel,
                const struct notification *notification)
{
    jsonw_object_begin(&writer->w, NULL);
    jsonw_text(&writer->w, "channel", channel);
    notification_write(notification, &writer->w, "notification");
    jsonw_object_end(&writer->w);
}

static int write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, data, size);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* Replaces the file as a whole. A rename that a power cut undoes leaves the older one, which only
 * repeats a notification. */
static int replace_file(const char *path, const struct buffer *text)
{
    char beside[PATH_MAX];
    int fd, rc;

    if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
        return -ENAMETOOLONG;
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = write_all(fd, text->data, text->size);
    close(fd);
    if (rc == 0 && rename(beside, path) < 0)
        rc = -errno;
    if (rc < 0)
        unlink(beside);
    return rc;
}

int memory_save(struct memory_writer *writer, const char *path)
{
    int rc = -ENOMEM;

    jsonw_array_end(&writer->w);
    jsonw_object_end(&writer->w);
    if (!writer->text.failed)
        rc = replace_file(path, &writer->text);
    buffer_free(&writer->text);
    return rc;
}

static int read_file(const char *path, struct buffer *out)
{
    char chunk[16 * 1024];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    while ((n = read(fd, chunk, sizeof chunk)) > 0 && out->size < MEMORY_SIZE_MAX)
        buffer_append(out, chunk, (size_t)n);
    close(fd);
    if (n < 0)
        return -EIO;
    if (out->size >= MEMORY_SIZE_MAX)
        return -EFBIG;
    return out->failed ? -ENOMEM : 0;
}

static int read_name(const struct jsonr *in, const char *key, char out[TOPIC_NAME_SIZE])
{
    const char *name = NULL;
    int rc = jsonr_text(in, key, JSONR_REQUIRED, &name);

    if (rc == 0 && !topic_name_valid(name))
        rc = jsonr_fail(in, key, "a name is expected");
    if (rc == 0)
        strcpy(out, name);
    return rc;
}

static int read_alert(const struct jsonr *in, struct life *life)
{
    struct life_alert alert = {0};
    int64_t episode = 0, state = 0, severity = 0, told = 0;
    int rc;

    if ((rc = read_name(in, "location", alert.location)) < 0 ||
        (rc = read_name(in, "device", alert.device)) < 0 ||
        (rc = read_name(in, "rule", alert.rule)) < 0 ||
        (rc = jsonr_integer(in, "episode", JSONR_REQUIRED, &episode)) < 0 ||
        (rc = jsonr_integer(in, "since", JSONR_REQUIRED, &alert.since_ms)) < 0 ||
        (rc = jsonr_integer(in, "state", JSONR_REQUIRED, &state)) < 0 ||
        (rc = jsonr_integer(in, "severity", JSONR_REQUIRED, &severity)) < 0 ||
        (rc = jsonr_integer(in, "told", JSONR_REQUIRED, &told)) < 0)
        return rc;
    if (state > ALERT_STALE || severity > ALERT_CRITICAL || told > 7)
        return jsonr_fail(in, NULL, "a number is out of its range");
    alert.episode = (uint64_t)episode;
    alert.state = (enum alert_state)state;
    alert.severity = (enum alert_severity)severity;
    alert.told = (unsigned)told;
    return life_restore(life, &alert);
}

struct reader {
    struct life *life;
    memory_pending_fn *on_pending;
    void *self;
};

static int read_pending(const struct jsonr *in, const struct reader *reader)
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

/* Reads each object of the array `key`; `alerts` tells which kind they are. */
static int read_array(const struct jsonr *in, const char *key, bool alerts,
                      const struct reader *reader)
{
    json_object *array = NULL;
    int rc = 0;

    if (!json_object_object_get_ex(in->object, key, &array) ||
        !json_object_is_type(array, json_type_array))
        return jsonr_fail(in, key, "an array is expected");
    for (size_t i = 0; rc == 0 && i < json_object_array_length(array); i++) {
        struct jsonr item = {.object = json_object_array_get_idx(array, i),
                             .path = "",
                             .error = in->error,
                             .error_size = in->error_size};

        if (!json_object_is_type(item.object, json_type_object))
            return jsonr_fail(in, key, "objects are expected in it");
        rc = alerts ? read_alert(&item, reader->life) : read_pending(&item, reader);
    }
    return rc;
}

static int read_document(const struct buffer *text, const struct reader *reader, char *error,
                         size_t error_size)
{
    struct jsonr in = {.path = "", .error = error, .error_size = error_size};
    int64_t version = 0;
    int rc = jsonr_parse_object(&in, text->data ? text->data : "", text->size);

    if (rc < 0)
        return rc;
    rc = jsonr_integer(&in, "version", JSONR_REQUIRED, &version);
    if (rc == 0 && version != VERSION)
        rc = jsonr_fail(&in, "version", "%d is expected", VERSION);
    if (rc == 0)
        rc = read_array(&in, "alerts", true, reader);
    if (rc == 0)
        rc = read_array(&in, "pending", false, reader);
    jsonr_free(in.object);
    return rc;
}

int memory_load(const char *path, struct life *life, memory_pending_fn *on_pending, void *self,
                char *error, size_t error_size)
{
    const struct reader reader = {life, on_pending, self};
    struct buffer text = {0};
    int rc = read_file(path, &text);

    if (rc == 0)
        rc = read_document(&text, &reader, error, error_size);
    buffer_free(&text);
    return rc;
}
