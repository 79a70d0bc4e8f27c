/* Writes a spool as influx-sink does, with one reading a message:
 *
 *     bench-fill-spool DIRECTORY MESSAGES FIRST_MS LAST_MS
 *
 * The readings' times, and those when they were received, are spread from FIRST_MS to LAST_MS;
 * a hundred devices take turns. */
#include "buffer.h"
#include "message.h"
#include "spool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICES 100
#define SEGMENT_BYTES (16 * 1024 * 1024) /* the sink's usual one */

static int append(struct spool *spool, struct buffer *record, int64_t i, int64_t time_ms)
{
    char topic[64], payload[160];
    struct message message = {.topic = topic, .payload = payload, .received_ms = time_ms};

    message.topic_length =
        (size_t)snprintf(topic, sizeof(topic), "iot/hall_%d/device_%02d/telemetry/sensors",
                         (int)(i % 4), (int)(i % DEVICES));
    message.size = (size_t)snprintf(payload, sizeof(payload),
                                    "{\"ts\":%" PRId64 ",\"seq\":%" PRId64
                                    ",\"values\":{\"temperature\":%d.%d}}",
                                    time_ms, i / DEVICES + 1, 20 + (int)(i % 7), (int)(i % 10));
    buffer_clear(record);
    return message_pack(&message, record) ? -ENOMEM
                                          : spool_append(spool, record->data, record->size);
}

static int fill(struct spool *spool, int64_t n, int64_t first_ms, int64_t last_ms)
{
    struct buffer record = {0};
    int error = 0;

    for (int64_t i = 0; !error && i < n; i++)
        error = append(spool, &record, i,
                       first_ms + (int64_t)((double)(last_ms - first_ms) * (double)i / (double)n));
    buffer_free(&record);
    return error;
}

int main(int argc, char **argv)
{
    struct spool_options options = {.max_bytes = INT64_MAX, .segment_bytes = SEGMENT_BYTES};
    char text[256] = "";
    struct spool *spool;
    int error;

    if (argc != 5) {
        fprintf(stderr, "bench-fill-spool DIRECTORY MESSAGES FIRST_MS LAST_MS\n");
        return 64;
    }
    options.directory = argv[1];
    error = spool_open(&spool, &options, text, sizeof(text));
    if (!error) {
        error = fill(spool, atoll(argv[2]), atoll(argv[3]), atoll(argv[4]));
        spool_close(spool);
    }
    if (error)
        fprintf(stderr, "bench-fill-spool: %s\n", text[0] ? text : strerror(-error));
    return error ? 74 : 0;
}
