#include "backlog.h"

#include "backlog_pack.h"
#include "backlog_queue.h"
#include "buffer.h"
#include "log.h"
#include "spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB 1024
#define MIB (1024 * KIB)
#define AWAY_MS 100 /* how often it is looked whether the broker is back */
#define FLIGHT_MS 2 /* and whether the last batch was acknowledged */
#define BATCH_BYTES (256 * KIB)

struct backlog {
    struct loop *loop; /* borrowed, as are the next two */
    struct mqtt *mqtt;
    struct health *health;
    struct backlog_settings settings;
    struct spool *spool; /* NULL: no disk */
    struct spool_reader *reader;
    struct loop_timer *timer;
    struct backlog_queue queue; /* in memory: before the disk is used, so empty while it is */
    struct backlog_pack pack;
    struct buffer record; /* kept for its memory */
    bool flying;          /* a batch was published and is not acknowledged as a whole */
    bool drained;         /* there is nothing on disk behind that batch */
    uint64_t next;        /* record after it */
    struct log_limit lost_limit;
    health_counter *spooled, *sent, *lost;
};

void backlog_configure(struct backlog_settings *out, struct config_node *root)
{
    struct config_node *node = config_object(root, "backlog");
    out->memory_bytes = config_size(node, "memory", MIB, 0, 1024 * (int64_t)MIB);
    out->disk_bytes = config_size(node, "disk", 256 * (int64_t)MIB, 0, 1024 * 1024 * (int64_t)MIB);
}

static bool is_on_disk(const struct backlog *backlog)
{
    return spool_waiting(backlog->reader) > 0;
}

static bool is_in_memory(const struct backlog *backlog)
{
    return backlog_queue_size(&backlog->queue) > 0;
}

static void wake_in(struct backlog *backlog, int64_t wait_ms)
{
    loop_timer_set(backlog->timer, loop_now(backlog->loop) + wait_ms);
}

/* All of a batch's messages go out before the next one is read, so that the order within a topic
 * stays. Retained is what has the newest reading. */
static void on_array(void *self, const char *topic, const char *payload, size_t size)
{
    struct backlog *backlog = self;
    struct mqtt_message message = {
        .topic = topic, .payload = payload, .size = size, .qos = 1, .retained = backlog->drained};
    if (mqtt_publish(backlog->mqtt, &message) != 0)
        health_raise(backlog->lost, 1);
}

static void send_from_disk(struct backlog *backlog)
{
    struct spool_record record;
    uint64_t n = 0;
    int got = 0;
    while (backlog->pack.size < BATCH_BYTES && (got = spool_next(backlog->reader, &record)) == 1) {
        if (backlog_pack_add(&backlog->pack, record.body, record.size) != 0)
            health_raise(backlog->lost, 1);
        backlog->next = record.number + 1;
        n++;
    }
    if (got < 0)
        log_error("backlog_unreadable", "reason=\"%s\"", strerror(-got));
    if (n == 0)
        return;
    backlog->drained = got == 0;
    backlog_pack_each(&backlog->pack, on_array, backlog);
    backlog_pack_clear(&backlog->pack);
    health_raise(backlog->sent, n);
    backlog->flying = true;
}

static int publish_now(struct backlog *backlog, const char *topic, const char *payload, size_t size)
{
    struct mqtt_message message = {
        .topic = topic, .payload = payload, .size = size, .qos = 1, .retained = true};
    return mqtt_publish(backlog->mqtt, &message);
}

/* One by one: there are not many, and the newest stays with the broker as a reading alone. */
static void send_kept(void *self, const void *record, size_t size)
{
    struct backlog *backlog = self;
    const char *topic = record;
    const char *payload = topic + strlen(topic) + 1;
    if (publish_now(backlog, topic, payload, size - (size_t)(payload - topic)) != 0)
        health_raise(backlog->lost, 1);
}

static void send_from_memory(struct backlog *backlog)
{
    backlog_queue_each(&backlog->queue, send_kept, backlog);
    backlog_queue_clear(&backlog->queue);
}

static void send_or_wait(struct backlog *backlog)
{
    bool up = mqtt_is_up(backlog->mqtt);
    if (up && is_in_memory(backlog))
        send_from_memory(backlog);
    else if (up && !backlog->flying)
        send_from_disk(backlog);
    if (backlog->flying)
        wake_in(backlog, FLIGHT_MS);
    else if (is_in_memory(backlog) || is_on_disk(backlog))
        wake_in(backlog, AWAY_MS);
}

static void on_time(void *self)
{
    struct backlog *backlog = self;
    if (backlog->flying && mqtt_is_idle(backlog->mqtt)) {
        int error = spool_commit(backlog->reader, backlog->next);
        if (error != 0)
            log_error("backlog_cursor", "reason=\"%s\"", strerror(-error));
        backlog->flying = false;
    }
    send_or_wait(backlog);
}

static void on_sample(void *self, struct health *health)
{
    struct backlog *backlog = self;
    if (!backlog->spool)
        return;
    struct spool_stats stats = spool_stats(backlog->spool);
    health_set(health, "backlog.memory_bytes", (double)backlog_queue_size(&backlog->queue));
    health_set(health, "backlog.records", (double)spool_waiting(backlog->reader));
    health_set(health, "backlog.bytes", (double)stats.bytes);
    atomic_store(health_count(health, "backlog.dropped_oldest"), stats.dropped);
    atomic_store(health_count(health, "backlog.corrupt"), stats.corrupt);
}

static void open_disk(struct backlog *backlog, const char *state_dir)
{
    int64_t disk_bytes = backlog->settings.disk_bytes;
    char directory[512];
    char error[256];
    int length = snprintf(directory, sizeof directory, "%s/backlog", state_dir);
    if (state_dir[0] == '\0' || disk_bytes == 0 || (size_t)length >= sizeof directory)
        return;
    struct spool_options options = {.directory = directory,
                                    .max_bytes = disk_bytes,
                                    .segment_bytes = disk_bytes / 16,
                                    .drop_oldest = true};
    if (spool_open(&backlog->spool, &options, error, sizeof error) != 0) {
        log_error(
            "backlog_without_disk",
            "directory=%s reason=\"%s\" what_to_do=\"free or mend it; until then readings wait "
            "in memory only (mqtt.outbox)\"",
            directory, error);
        backlog->spool = NULL;
        return;
    }
    backlog->reader = spool_reader(backlog->spool, 0);
    if (is_on_disk(backlog))
        wake_in(backlog, 0);
}

int backlog_open(struct backlog **out, struct service *service,
                 const struct backlog_settings *settings)
{
    struct backlog *backlog = calloc(1, sizeof *backlog);
    if (!backlog)
        return -ENOMEM;
    backlog->loop = service_loop(service);
    backlog->mqtt = service_mqtt(service);
    backlog->health = service_health(service);
    backlog->settings = *settings;
    backlog->lost_limit.every_ms = 10000;
    backlog->spooled = health_count(backlog->health, "backlog.spooled");
    backlog->sent = health_count(backlog->health, "backlog.sent");
    backlog->lost = health_count(backlog->health, "backlog.lost_messages");
    int error = loop_timer_open(&backlog->timer, backlog->loop, on_time, backlog);
    if (error == 0)
        error = health_on_sample(backlog->health, on_sample, backlog);
    if (error != 0) {
        backlog_close(backlog);
        return error;
    }
    open_disk(backlog, service_state_dir(service));
    *out = backlog;
    return 0;
}

static int lose(struct backlog *backlog, int error)
{
    health_raise(backlog->lost, 1);
    if (log_allowed(&backlog->lost_limit, loop_now(backlog->loop)))
        log_error("reading_lost",
                  "reason=\"%s\" suppressed=%llu what_to_do=\"free the disk under "
                  "service.state_dir\"",
                  strerror(-error), (unsigned long long)backlog->lost_limit.suppressed);
    return error;
}

static int write_record(struct backlog *backlog, const void *record, size_t size)
{
    int error = spool_append(backlog->spool, record, size);
    if (error != 0)
        return lose(backlog, error);
    health_raise(backlog->spooled, 1);
    return 0;
}

static void spill(void *self, const void *record, size_t size)
{
    write_record(self, record, size);
}

/* All of it, so that what is on disk is never newer than what is in memory. */
static void spill_memory(struct backlog *backlog)
{
    backlog_queue_each(&backlog->queue, spill, backlog);
    backlog_queue_clear(&backlog->queue);
}

static int keep(struct backlog *backlog, const void *record, size_t size)
{
    if (!is_on_disk(backlog)) {
        size_t in_memory = backlog_queue_size(&backlog->queue) + size;
        if (in_memory <= (size_t)backlog->settings.memory_bytes &&
            backlog_queue_add(&backlog->queue, record, size) == 0)
            return 0;
        spill_memory(backlog);
    }
    return write_record(backlog, record, size);
}

/* Order: while anything waits, what is new goes behind it. Where no memory is allowed all goes over
 * the disk, and is there until the broker has it. */
static bool must_wait(const struct backlog *backlog)
{
    return backlog->spool && (backlog->settings.memory_bytes == 0 || is_in_memory(backlog) ||
                              is_on_disk(backlog) || !mqtt_is_up(backlog->mqtt));
}

static int publish_later(struct backlog *backlog, const char *topic, const char *payload,
                         size_t size)
{
    buffer_clear(&backlog->record);
    backlog_pack_record(&backlog->record, topic, payload, size);
    int error = backlog->record.failed ? lose(backlog, -ENOMEM)
                                       : keep(backlog, backlog->record.data, backlog->record.size);
    if (!backlog->flying)
        send_or_wait(backlog);
    return error;
}

int backlog_publish(struct backlog *backlog, const char *topic, const char *payload, size_t size)
{
    if (must_wait(backlog))
        return publish_later(backlog, topic, payload, size);
    return publish_now(backlog, topic, payload, size);
}

void backlog_reload(const struct backlog *backlog, const struct backlog_settings *fresh)
{
    if (backlog->settings.memory_bytes != fresh->memory_bytes ||
        backlog->settings.disk_bytes != fresh->disk_bytes)
        log_warning("reload_partial",
                    "what_to_do=\"restart: the backlog's limits are read at the start only\"");
}

void backlog_close(struct backlog *backlog)
{
    if (!backlog)
        return;
    health_off_sample(backlog->health, backlog);
    loop_timer_close(backlog->timer);
    spill_memory(backlog); /* the next process sends it */
    spool_close(backlog->spool);
    backlog_pack_clear(&backlog->pack);
    buffer_free(&backlog->record);
    free(backlog);
}
