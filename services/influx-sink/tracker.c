#include "tracker.h"

#include "account.h"
#include "jsonw.h"
#include "log.h"
#include "message.h"
#include "reading_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TOLD_MAX 64 /* series in a health message: proto/health.schema.json */
#define BOOT_ID_SIZE 40

struct header {
    char magic[8];
    uint64_t size; /* of the whole file */
    char boot_id[BOOT_ID_SIZE];
    uint64_t clean; /* closed in order */
};

struct file {
    struct header header;
    struct account account;
};

struct tracker {
    struct file *file; /* mapped */
    bool kept;         /* in a file, not in memory only */
    char root[TOPIC_SIZE];
    struct health *health;
};

static const char magic[8] = "FLACCT3";

/* Which boot of the machine this is: random(4). */
static void read_boot_id(char out[BOOT_ID_SIZE])
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    memset(out, 0, BOOT_ID_SIZE);
    if (!file)
        return;
    if (!fgets(out, BOOT_ID_SIZE, file))
        out[0] = '\0';
    fclose(file);
}

/* What memory held when the machine went down, the disk need not have got in one piece. */
static bool is_usable(const struct header *header, const char *boot_id)
{
    return memcmp(header->magic, magic, sizeof(magic)) == 0 &&
           header->size == sizeof(struct file) &&
           (header->clean || (boot_id[0] && strcmp(header->boot_id, boot_id) == 0));
}

static void begin(struct header *header)
{
    memcpy(header->magic, magic, sizeof(magic));
    read_boot_id(header->boot_id);
    header->size = sizeof(struct file);
    header->clean = 0;
}

static void *map(int fd)
{
    void *memory = mmap(NULL, sizeof(struct file), PROT_READ | PROT_WRITE,
                        fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* One that is begun anew is cut to nothing first: what is never written costs no memory. */
static int empty_unless_usable(int fd)
{
    struct header header = {0};
    char boot_id[BOOT_ID_SIZE];

    read_boot_id(boot_id);
    if (pread(fd, &header, sizeof(header), 0) < 0)
        return -errno;
    if (is_usable(&header, boot_id))
        return 0;
    if (header.magic[0])
        log_warning("ledger_anew", "reason=\"the file is from before a crash of the machine or of "
                                   "another version\"");
    return ftruncate(fd, 0) < 0 ? -errno : 0;
}

/* All its blocks are allocated first: a disk that fills later would end the process with SIGBUS. */
static int map_file(struct file **out, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    int error;

    if (fd < 0)
        return -errno;
    error = empty_unless_usable(fd);
    if (!error)
        error = -posix_fallocate(fd, 0, sizeof(struct file));
    *out = error ? NULL : map(fd);
    if (!error && !*out)
        error = -errno;
    close(fd);
    return error;
}

static void write_series(struct jsonw *w, const struct account_series *series,
                         const struct account_totals *totals)
{
    jsonw_object_begin(w, NULL);
    jsonw_text(w, "location", series->location);
    jsonw_text(w, "device", series->device);
    jsonw_text(w, "measurement", series->measurement);
    jsonw_unsigned(w, "received", totals->received);
    jsonw_unsigned(w, "duplicate", totals->duplicate);
    jsonw_unsigned(w, "missing", totals->missing);
    jsonw_unsigned(w, "late", totals->late);
    jsonw_unsigned(w, "restarts", totals->restarts);
    jsonw_unsigned(w, "stored", totals->stored);
    jsonw_unsigned(w, "dead", totals->dead);
    jsonw_object_end(w);
}

static bool is_spotless(const struct account_totals *totals)
{
    return totals->missing == 0 && totals->duplicate == 0 && totals->late == 0 && totals->dead == 0;
}

static void write_members(void *self, struct jsonw *w)
{
    const struct tracker *tracker = self;
    const struct account *account = &tracker->file->account;
    int told = 0;

    jsonw_array_begin(w, "series");
    for (int spotless = 0; spotless < 2; spotless++)
        for (size_t i = 0; i < ACCOUNT_SLOTS && told < TOLD_MAX; i++) {
            const struct account_series *series = &account->series[i];
            struct account_totals totals;

            if (atomic_load_explicit(&account->states[i], memory_order_acquire) != ACCOUNT_USED)
                continue;
            totals = account_series_totals(account, series);
            if (is_spotless(&totals) != (spotless == 1))
                continue;
            write_series(w, series, &totals);
            told++;
        }
    jsonw_array_end(w);
}

static void sample(void *self, struct health *health)
{
    const struct tracker *tracker = self;
    struct account_totals totals;

    account_square(&tracker->file->account);
    totals = account_totals(&tracker->file->account);
    health_set(health, "readings.received", (double)totals.received);
    health_set(health, "readings.duplicate", (double)totals.duplicate);
    health_set(health, "readings.missing", (double)totals.missing);
    health_set(health, "readings.late", (double)totals.late);
    health_set(health, "readings.restarts", (double)totals.restarts);
    health_set(health, "readings.stored", (double)totals.stored);
    health_set(health, "readings.dead", (double)totals.dead);
    health_set(health, "readings.dropped", (double)totals.dropped);
    health_set(health, "readings.waiting", (double)totals.waiting);
    health_set(health, "readings.untracked",
               (double)atomic_load(&tracker->file->account.untracked));
}

struct taking {
    struct account *account;
    const struct topic *topic;
    struct account_series *series; /* NULL where there is no room */
    bool is_found;                 /* it was looked for */
    uint64_t n_known;              /* readings still to come that are counted already */
};

static void on_reading(void *self, uint64_t seq, int64_t ts_ms)
{
    struct taking *taking = self;

    if (taking->n_known > 0) {
        taking->n_known--;
        return;
    }
    if (!taking->is_found)
        taking->series = account_find(taking->account, taking->topic);
    taking->is_found = true;
    account_take(taking->account, taking->series, seq, ts_ms);
}

static void take(struct tracker *tracker, const char *topic_text, const struct message *message,
                 uint64_t n_known)
{
    struct topic topic;
    struct taking taking = {
        .account = &tracker->file->account, .topic = &topic, .n_known = n_known};

    if (!message->cut && topic_parse(&topic, tracker->root, topic_text) == 0 &&
        topic.kind == TOPIC_TELEMETRY)
        reading_scan(message->payload, message->size, on_reading, &taking);
    account_took_record(taking.account);
}

void tracker_on_message(struct tracker *tracker, const struct mqtt_message *message)
{
    take(tracker, message->topic,
         &(struct message){.payload = message->payload,
                           .size = message->size,
                           .cut = !message_fits(strlen(message->topic), message->size)},
         0);
}

/* The spool's last record, which the process that was killed has not counted to the end. One that
 * cannot be read counts for nothing. */
static int take_last(struct tracker *tracker, struct spool *spool, uint64_t n_known)
{
    struct spool_reader *reader;
    struct spool_record record;
    struct message message = {0};
    char topic[TOPIC_SIZE] = "";
    int error = spool_follow(&reader, spool_reader(spool, 0));

    if (error)
        return error;
    spool_seek(reader, spool_stats(spool).next - 1);
    if (spool_next(reader, &record) == 1 &&
        message_unpack(&message, record.body, record.size) == 0 &&
        message.topic_length < sizeof(topic))
        memcpy(topic, message.topic, message.topic_length);
    take(tracker, topic, &message, n_known);
    spool_unfollow(reader);
    return 0;
}

static int resume(struct tracker *tracker, struct spool *spool)
{
    uint64_t cursor = spool_cursor(spool_reader(spool, 0)), n_known;

    return account_resume(&tracker->file->account, cursor, spool_stats(spool).next, &n_known)
               ? take_last(tracker, spool, n_known)
               : 0;
}

int tracker_open(struct tracker **out, const struct tracker_options *options)
{
    struct tracker *tracker = calloc(1, sizeof(*tracker));
    int error;

    if (!tracker)
        return -ENOMEM;
    snprintf(tracker->root, sizeof(tracker->root), "%s", options->root);
    error = map_file(&tracker->file, options->path);
    tracker->kept = !error;
    if (error) {
        log_error("ledger_not_kept", "file=%s reason=\"%s\"", options->path, strerror(-error));
        tracker->file = map(-1);
    }
    if (!tracker->file) {
        free(tracker);
        return -ENOMEM;
    }
    begin(&tracker->file->header);
    tracker->health = options->health;
    error = resume(tracker, options->spool);
    if (!error)
        error = health_on_sample(options->health, sample, tracker);
    if (error) {
        tracker_close(tracker);
        return error;
    }
    health_set_members(options->health, write_members, tracker);
    *out = tracker;
    return 0;
}

void tracker_close(struct tracker *tracker)
{
    if (!tracker)
        return;
    health_off_sample(tracker->health, tracker);
    health_set_members(tracker->health, NULL, NULL);
    if (tracker->kept && msync(tracker->file, sizeof(*tracker->file), MS_SYNC) == 0)
        tracker->file->header.clean = 1;
    munmap(tracker->file, sizeof(*tracker->file));
    free(tracker);
}

struct account *tracker_account(struct tracker *tracker)
{
    return &tracker->file->account;
}
