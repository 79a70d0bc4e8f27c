/* The alerter's memory, of the version that has no checksum, which would keep all inputs out: what
 * is taken goes on without harm, and is written so that it can be read again. */
#include "fuzz.h"

#include "memory_read.h"

#undef NDEBUG /* what is asserted is also done */
#include <assert.h>
#include <stdlib.h>

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

static const char configuration[] =
    "{\"channels\":{\"a\":{\"type\":\"log\",\"max_per_hour\":2},\"b\":{\"type\":\"log\"}},"
    "\"route\":{"
    "\"channels\":[\"a\"],\"group_by\":[\"device\"],\"escalate\":[{\"after\":\"10m\",\"channels\":["
    "\"b\"]}]}}";

static void drop(void *self, size_t channel, struct notification *notification)
{
    (void)self;
    (void)channel;
    notification_close(notification);
}

static void drop_pending(void *self, const char *channel, struct notification *notification)
{
    (void)self;
    (void)channel;
    notification_close(notification);
}

static int read_text(struct core *core, const void *data, size_t size)
{
    char error[256];
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof error};
    FILE *file = fmemopen((void *)(uintptr_t)data, size, "r");
    int rc = file ? memory_read(file, core, drop_pending, NULL, &in) : -1;

    if (file)
        fclose(file);
    return rc;
}

static void write_and_read(const struct settings *settings, const struct core_handlers *handlers,
                           struct core *core)
{
    struct memory_writer writer;
    struct core *other;

    memory_begin(&writer, core);
    buffer_text(&writer.text, "{\"end\":{}}\n");
    assert(core_open(&other, settings, handlers, NULL) == 0);
    writer.text.data[sizeof "{\"memory\":{\"version\":" - 1] = '2'; /* without a checksum */
    assert(read_text(other, writer.text.data, writer.text.size) == 0);
    core_close(other);
    buffer_free(&writer.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct core_handlers handlers = {drop};
    struct config *config;
    struct core *core;
    void *settings;

    assert(config_open_text(&config, "fuzz", configuration) == 0);
    assert(settings_configure(&settings, config_root(config)) == 0 && config_check(config));
    assert(core_open(&core, settings, &handlers, NULL) == 0);
    if (size > 0 && read_text(core, data, size) == 0) {
        write_and_read(settings, &handlers, core);
        for (int i = 0; i < 20 && core_next_ms(core) < INT64_MAX; i++)
            core_tick(core, core_next_ms(core));
        core_tick(core, INT64_C(1763805600000) + DAY_MS);
        write_and_read(settings, &handlers, core);
    }
    core_close(core);
    settings_discard(settings);
    config_close(config);
    return 0;
}
