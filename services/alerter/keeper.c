#include "keeper.h"

#include "log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAVE_SOON_MS 20    /* changes that come together are saved together */
#define SAVE_AGAIN_MS 5000 /* after a failure */

struct keeper {
    struct keeper_parts parts;
    struct loop_timer *timer;
    char path[PATH_MAX]; /* "" where nothing is kept */
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
    save_in(keeper, SAVE_SOON_MS);
}

void keeper_save(void *self)
{
    struct keeper *keeper = self;
    struct memory_writer writer;
    int rc;

    keeper->due = false;
    if (!*keeper->path)
        return;
    memory_begin(&writer, keeper->parts.life);
    for (size_t i = 0; i < keeper->parts.n_channels; i++) {
        const struct channel *channel = keeper->parts.channels[i];

        for (const struct notification *n = channel_waiting(channel); n; n = n->next)
            memory_add(&writer, channel_settings(channel)->name, n);
    }
    rc = memory_save(&writer, keeper->path);
    if (rc < 0)
        save_in(keeper, SAVE_AGAIN_MS);
    if (rc < 0 && rc != keeper->error)
        log_error("memory_not_saved", "path=%s reason=\"%s\"", keeper->path, strerror(-rc));
    keeper->error = rc;
}

int keeper_open(struct keeper **out, const struct keeper_parts *parts, const char *directory)
{
    struct keeper *keeper = calloc(1, sizeof *keeper);
    int rc;

    if (!keeper)
        return -ENOMEM;
    keeper->parts = *parts;
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
    loop_timer_close(keeper->timer);
    free(keeper);
}

static void put_aside(const struct keeper *keeper, const char *reason)
{
    char aside[PATH_MAX + sizeof ".bad"];

    log_error("memory_lost", "path=%s reason=\"%s\"", keeper->path, reason);
    snprintf(aside, sizeof aside, "%s.bad", keeper->path);
    rename(keeper->path, aside);
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
    rc = memory_load(keeper->path, keeper->parts.life, on_pending, self, error, sizeof error);
    if (rc == -ENOMEM)
        return rc;
    if (rc < 0 && rc != -ENOENT)
        put_aside(keeper, *error ? error : strerror(-rc));
    return rc == 0;
}

int keeper_error(const struct keeper *keeper)
{
    return keeper->error;
}

const char *keeper_path(const struct keeper *keeper)
{
    return keeper->path;
}
