/* A core of its own for a test program: opened from a configuration, told what it tells, killed and
 * started again by its memory. */
#ifndef CORE_STAND_H
#define CORE_STAND_H

#include "core.h"
#include "memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define T0 INT64_C(1763805600000)
#define MINUTE (INT64_C(60) * 1000)

static struct config *config;
static struct settings *settings;
static struct core *core;
static char told[4096]; /* "channel kind state device\n" each, since last emptied */

static void on_notification(void *self, size_t channel, struct notification *n)
{
    size_t length = strlen(told);

    (void)self;
    for (size_t i = 0; i < n->n_items; i++)
        length +=
            (size_t)snprintf(told + length, sizeof told - length, "%s %s %s %s\n",
                             settings->channels[channel].name, notification_kind_name(n->kind),
                             item_state_name(n->items[i].state), n->items[i].topic.device);
    assert_true(length < sizeof told);
    notification_close(n);
}

static const struct core_handlers handlers = {on_notification};

static void open_core(const char *text)
{
    void *out;

    assert_int_equal(config_open_text(&config, "test", text), 0);
    assert_int_equal(settings_configure(&out, config_root(config)), 0);
    assert_true(config_check(config));
    settings = out;
    assert_int_equal(core_open(&core, settings, &handlers, NULL), 0);
}

static void close_core(void)
{
    core_close(core);
    settings_discard(settings);
    config_close(config);
}

/* To `path`, which mkstemp() fills in. */
static void save_core(char *path)
{
    struct memory_writer writer;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    memory_begin(&writer, core);
    assert_int_equal(memory_save(&writer, path), 0);
}

#endif
