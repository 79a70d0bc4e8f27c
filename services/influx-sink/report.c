#include "report.h"

#include "clock.h"
#include "dead.h"
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAYLOAD_MAX 4096 /* bytes in a published dead letter: contract, section 1 */

struct report {
    struct health *health;
    struct inbox *events;
    struct dead *dead;
    uint64_t forgotten; /* of dead_forgotten(), what was counted */
    bool unsynced;
    struct buffer published;
    struct log_limit limit;
};

void report_event_free(struct inbox_item *item)
{
    free(item);
}

int report_open(struct report **out, const struct settings *settings, struct health *health,
                struct inbox *events)
{
    struct report *report = calloc(1, sizeof(*report));
    int error;

    if (!report)
        return -ENOMEM;
    report->health = health;
    report->events = events;
    report->limit.every_ms = 10000;
    error = dead_open(&report->dead, settings->dead_path, settings->dead_max_bytes);
    if (error) {
        log_error("dead_letters_unusable", "file=%s reason=\"%s\"", settings->dead_path,
                  strerror(-error));
        report_close(report);
        return error;
    }
    *out = report;
    return 0;
}

void report_close(struct report *report)
{
    if (!report)
        return;
    dead_close(report->dead);
    buffer_free(&report->published);
    free(report);
}

/* What the loop has no room for is only not told: the file has it, and the count. */
static void report_tell(struct report *report, enum report_kind kind, const char *text, size_t size)
{
    struct report_event *event = malloc(sizeof(*event) + size + 1);

    if (event) {
        event->item.size = sizeof(*event) + size;
        event->kind = kind;
        event->size = size;
        memcpy(event->text, text, size);
        event->text[size] = '\0';
    }
    if (!event || inbox_try_put(report->events, &event->item) != 0) {
        health_raise(health_count(report->health, "untold"), 1);
        free(event);
    }
}

void report_error(struct report *report, const char *text)
{
    report_tell(report, REPORT_ERROR, text, strlen(text));
}

static void report_log(struct report *report, const struct dead_letter *letter)
{
    if (!log_allowed(&report->limit, clock_now_ms()))
        return;
    log_warning("dead_letter", "reason=%s topic=%.*s detail=\"%s\" more_before=%llu",
                letter->reason, (int)letter->message.topic_length, letter->message.topic,
                letter->detail, (unsigned long long)report->limit.suppressed);
}

int report_dead(struct report *report, const struct message *message, const char *reason,
                const char *detail)
{
    struct dead_letter letter = {*message, reason, detail, clock_time_ms()};
    int error = dead_add(report->dead, &letter);
    char name[80];

    if (error)
        return error;
    if (dead_forgotten(report->dead) > report->forgotten)
        health_raise(health_count(report->health, "dead_letters_forgotten"),
                     dead_forgotten(report->dead) - report->forgotten);
    report->forgotten = dead_forgotten(report->dead);
    report->unsynced = true;
    snprintf(name, sizeof(name), "dead.%s", reason);
    health_raise(health_count(report->health, name), 1);
    report_log(report, &letter);
    buffer_clear(&report->published);
    if (dead_encode(&letter, PAYLOAD_MAX, &report->published) == 0)
        report_tell(report, REPORT_DEAD, buffer_string(&report->published), report->published.size);
    return 0;
}

int report_sync(struct report *report)
{
    int error = report->unsynced ? dead_sync(report->dead) : 0;

    if (!error)
        report->unsynced = false;
    return error;
}
