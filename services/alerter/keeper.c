#include "keeper.h"

#include "clock.h"
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_SOON_MS 20    /* changes that come together are saved together */
#define SAVE_SHARE 4       /* of the time, at most a fifth goes into saving */
#define SAVE_AGAIN_MS 5000 /* after a failure */

struct unsent {
    struct unsent *next;
    size_t channel;
    struct notification *notification; /* owned */
};

struct keeper {
    struct keeper_parts parts;
    struct loop_timer *timer;
    struct unsent *first, **end; /* not written down yet */
    char path[PATH_MAX];         /* "" where nothing is kept */
    int64_t took_ms;             /* to save, the last time */
    bool due;
    int error;
};

static void save_in(struct keeper *keeper, int64_t delay_ms)
{
    if (!keeper->due)
        loop_timer_set(keeper->timer, loop_now(keeper->parts.loop) + delay_ms);
    keeper->due = true;
}

void keeper_changed(struct keeper *keeper)
{
    int64_t pause_ms = SAVE_SHARE * keeper->took_ms;

    save_in(keeper, pause_ms > SAVE_SOON_MS ? pause_ms : SAVE_SOON_MS);
}

static int write_down(struct keeper *keeper)
{
    const struct keeper_parts *parts = &keeper->parts;
    struct memory_writer writer;

    memory_begin(&writer, parts->core);
    for (size_t i = 0; i < parts->n_channels; i++)
        for (const struct notification *n = channel_waiting(parts->channels[i]); n; n = n->next)
            memory_add(&writer, channel_settings(parts->channels[i])->name, n);
    for (const struct unsent *u = keeper->first; u; u = u->next)
        memory_add(&writer, channel_settings(parts->channels[u->channel])->name, u->notification);
    return memory_save(&writer, keeper->path);
}

static void let_out(struct keeper *keeper)
{
    struct unsent *unsent = keeper->first;

    keeper->first = NULL;
    keeper->end = &keeper->first;
    while (unsent) {
        struct unsent *next = unsent->next;

        channel_offer(keeper->parts.channels[unsent->channel], unsent->notification);
        free(unsent);
        unsent = next;
    }
}

/* Each failure is counted, and said when it begins, when it is another, and when it is over. */
static void note_saved(struct keeper *keeper, int rc)
{
    if (rc < 0) {
        health_raise(health_count(keeper->parts.health, "memory.not_saved"), 1);
        health_set_error(keeper->parts.health, clock_time_ms(), "the memory cannot be saved");
    }
    if (rc < 0 && rc != keeper->error)
        log_error(
            "memory_not_saved",
            "path=%s reason=\"%s\" effect=\"who kills this program now is told again what was "
            "told since\" what_to_do=\"make room, or give the directory back\"",
            keeper->path, strerror(-rc));
    else if (rc == 0 && keeper->error < 0)
        log_info("memory_saved", "path=%s", keeper->path);
    keeper->error = rc;
}

void keeper_save(void *self)
{
    struct keeper *keeper = self;
    int64_t begun_ms = clock_now_ms();
    int rc;

    keeper->due = false;
    if (!*keeper->path)
        return;
    rc = write_down(keeper);
    keeper->took_ms = clock_now_ms() - begun_ms;
    if (rc < 0)
        save_in(keeper, SAVE_AGAIN_MS);
    note_saved(keeper, rc);
    let_out(keeper);
}

void keeper_send(struct keeper *keeper, size_t channel, struct notification *notification)
{
    struct unsent *unsent = *keeper->path ? calloc(1, sizeof *unsent) : NULL;

    if (!unsent || keeper->error) { /* better told twice than not */
        free(unsent);
        channel_offer(keeper->parts.channels[channel], notification);
        return;
    }
    unsent->channel = channel;
    unsent->notification = notification;
    *keeper->end = unsent;
    keeper->end = &unsent->next;
    keeper_changed(keeper);
}

int keeper_open(struct keeper **out, const struct keeper_parts *parts, const char *directory)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    int rc;

    if (!keeper)
        return -ENOMEM;
    keeper->parts = *parts;
    keeper->end = &keeper->first;
    rc = loop_timer_open(&keeper->timer, parts->loop, keeper_save, keeper);
    if (rc == 0 && *directory &&
        (size_t)snprintf(keeper->path, sizeof keeper->path, "%s/alerter.json", directory) >=
            sizeof keeper->path)
        rc = -ENAMETOOLONG;
    if (rc < 0) {
        keeper_close(keeper);
        return rc;
    }
    *out = keeper;
    return 0;
}

void keeper_close(struct keeper *keeper)
{
    if (!keeper)
        return;
    while (keeper->first) {
        struct unsent *next = keeper->first->next;

        notification_close(keeper->first->notification);
        free(keeper->first);
        keeper->first = next;
    }
    loop_timer_close(keeper->timer);
    free(keeper);
}

static void put_aside(const struct keeper *keeper, const char *reason)
{
    char aside[PATH_MAX + sizeof ".bad"];

    snprintf(aside, sizeof aside, "%s.bad", keeper->path);
    log_error("memory_lost",
              "path=%s reason=\"%s\" kept_as=%s effect=\"what is retained on the broker counts as "
              "told; what waited to be sent is not sent\"",
              keeper->path, reason, rename(keeper->path, aside) == 0 ? aside : "-");
    health_raise(health_count(keeper->parts.health, "memory.lost"), 1);
    health_set_error(keeper->parts.health, clock_time_ms(), reason);
}

int keeper_load(struct keeper *keeper, memory_pending_fn *on_pending, void *self)
{
    char error[256] = "";
    int rc;

    if (!*keeper->path) {
        log_warning("no_memory",
                    "reason=\"service.state_dir is not set\" "
                    "effect=\"alerts raised while this program is away are not told\"");
        return 0;
    }
    rc = memory_load(keeper->path, keeper->parts.core, on_pending, self, error, sizeof error);
    if (rc == 0 || rc == -ENOMEM)
        return rc == 0 ? 1 : rc;
    if (rc == -ENOENT)
        return 0;
    put_aside(keeper, *error ? error : strerror(-rc));
    return -EBADMSG;
}

int keeper_error(const struct keeper *keeper)
{
    return keeper->error;
}

const char *keeper_path(const struct keeper *keeper)
{
    return keeper->path;
}
