#include "service_health.h"

#include "buffer.h"
#include "clock.h"
#include "log.h"
#include "topic.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PUBLISH_MS 10000
#define FILE_MS 1000     /* more often than it is published: a container's check should not lag */
#define FRESH_SECONDS 10 /* an older file: the loop does not turn */

static const char working_word[] = "working\n";

struct service_health {
    struct loop *loop;
    struct mqtt *mqtt;
    struct health *health;
    char *file; /* NULL: none */
    struct loop_timer *publish_timer;
    struct loop_timer *file_timer;
    service_health_fn *is_working;
    void *self;
    int64_t started_ms;
    struct log_limit file_failures;
};

static void write_file(struct service_health *publisher)
{
    char why[256] = "";
    bool working =
        !publisher->is_working || publisher->is_working(publisher->self, why, sizeof why);
    char fresh[512];
    snprintf(fresh, sizeof fresh, "%s.new", publisher->file);
    FILE *file = fopen(fresh, "we");
    bool written = file && fprintf(file, "%s", working ? working_word : why) > 0;
    if (file)
        written = fclose(file) == 0 && written;
    if ((!written || rename(fresh, publisher->file) != 0) &&
        log_allowed(&publisher->file_failures, loop_now(publisher->loop)))
        log_error("health_file_failed",
                  "file=%s reason=\"%s\" what_to_do=\"make service.health_file "
                  "writable, best on a tmpfs\"",
                  publisher->file, strerror(errno));
}

static void on_file_time(void *self)
{
    struct service_health *publisher = self;
    write_file(publisher);
    loop_timer_set(publisher->file_timer, loop_now(publisher->loop) + FILE_MS);
}

static void count_mqtt(struct service_health *publisher)
{
    struct mqtt_stats stats = mqtt_stats(publisher->mqtt);
    const struct {
        const char *name;
        uint64_t count;
    } counts[] = {{"mqtt.received", stats.received}, {"mqtt.published", stats.published},
                  {"mqtt.dropped", stats.dropped},   {"mqtt.refused", stats.refused},
                  {"mqtt.connects", stats.connects}, {"mqtt.connect_failures", stats.failures}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        atomic_store(health_count(publisher->health, counts[i].name), counts[i].count);
    health_set(publisher->health, "mqtt.queued_bytes", (double)stats.queued_bytes);
    health_set(publisher->health, "mqtt.silent_subscriptions", (double)stats.silent_subscriptions);
}

void service_health_publish(struct service_health *publisher)
{
    struct buffer text = {0};
    char topic[TOPIC_SIZE];
    count_mqtt(publisher);
    if (mqtt_is_up(publisher->mqtt) &&
        health_encode(publisher->health, clock_time_ms(), clock_now_ms() - publisher->started_ms,
                      mqtt_session(publisher->mqtt), &text) == 0 &&
        topic_make(topic, mqtt_root(publisher->mqtt), TOPIC_SERVICE_HEALTH, NULL, NULL,
                   mqtt_instance(publisher->mqtt)) == 0)
        mqtt_publish_text(publisher->mqtt, topic, text.data, true);
    buffer_free(&text);
}

static void on_publish_time(void *self)
{
    struct service_health *publisher = self;
    malloc_trim(0); /* what a burst took goes back, also from between what is still in use */
    service_health_publish(publisher);
    loop_timer_set(publisher->publish_timer, loop_now(publisher->loop) + PUBLISH_MS);
}

int service_health_open(struct service_health **out, struct loop *loop, struct mqtt *mqtt,
                        struct health *health, const char *file)
{
    struct service_health *publisher = calloc(1, sizeof *publisher);
    if (!publisher)
        return -ENOMEM;
    *publisher = (struct service_health){.loop = loop,
                                         .mqtt = mqtt,
                                         .health = health,
                                         .file = file ? strdup(file) : NULL,
                                         .started_ms = clock_now_ms(),
                                         .file_failures = {.every_ms = 60000}};
    int error = file && !publisher->file ? -ENOMEM : 0;
    if (error == 0)
        error = loop_timer_open(&publisher->publish_timer, loop, on_publish_time, publisher);
    if (error == 0 && file)
        error = loop_timer_open(&publisher->file_timer, loop, on_file_time, publisher);
    if (error != 0) {
        service_health_close(publisher);
        return error;
    }
    loop_timer_set(publisher->publish_timer, loop_now(loop) + PUBLISH_MS);
    if (file)
        loop_timer_set(publisher->file_timer, loop_now(loop));
    *out = publisher;
    return 0;
}

void service_health_close(struct service_health *publisher)
{
    if (!publisher)
        return;
    loop_timer_close(publisher->publish_timer);
    loop_timer_close(publisher->file_timer);
    if (publisher->file)
        unlink(publisher->file);
    free(publisher->file);
    free(publisher);
}

void service_health_on_check(struct service_health *publisher, service_health_fn *is_working,
                             void *self)
{
    publisher->is_working = is_working;
    publisher->self = self;
}

int service_health_check(const char *file)
{
    struct stat status;
    char text[256] = "";
    FILE *stream = file ? fopen(file, "re") : NULL;
    if (!stream) {
        printf("not working: %s\n", file ? "no health file: the service does not run"
                                         : "service.health_file is not configured");
        return 1;
    }
    bool read = fgets(text, sizeof text, stream) != NULL && fstat(fileno(stream), &status) == 0;
    fclose(stream);
    if (read && time(NULL) - status.st_mtime > FRESH_SECONDS)
        snprintf(text, sizeof text, "its loop has not turned for %lld s",
                 (long long)(time(NULL) - status.st_mtime));
    bool working = read && strcmp(text, working_word) == 0;
    printf("%s%s\n", working ? "working" : "not working: ", working ? "" : text);
    return working ? 0 : 1;
}
