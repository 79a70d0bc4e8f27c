/* What the rules' memory costs with N_RULES × N_DEVICES active states: bytes, and for how long
 * nothing is decided. bench-rules-memory DIRECTORY */
#include "clock.h"
#include "memory.h"
#include "settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_RULES = 1000, N_DEVICES = 1000, N_CHANGES = 2000000 };

struct bench {
    struct engine *engine;
    struct memory *memory;
    uint64_t longest_us, ticks;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench-rules-memory: %s\n", what);
    exit(1);
}

static void *rules(void)
{
    struct buffer json = {0};
    struct config *config;
    void *settings = NULL;
    for (int i = 0; i < N_RULES; i++)
        buffer_format(&json,
                      "%s{\"name\":\"rule_%d\",\"select\":{\"measurement\":\"m\"},\"when\":\"x > "
                      "1\",\"alert\":true}",
                      i ? "," : "{\"rules\":[", i);
    buffer_text(&json, "]}");
    if (config_open_text(&config, "rules", buffer_string(&json)) < 0 ||
        settings_configure(&settings, config_root(config)) < 0)
        fail("rules");
    buffer_free(&json);
    return settings;
}

static struct engine_memory change(int i, uint64_t episode)
{
    static char device[16], rule[16];
    snprintf(device, sizeof(device), "device_%03d", i / N_RULES);
    snprintf(rule, sizeof(rule), "rule_%d", i % N_RULES);
    return (struct engine_memory){
        .rule = rule,
        .place = {"somewhere", device},
        .active = true,
        .alerting = true,
        .meaning = UINT64_MAX,
        .episode = episode,
        .since_ms = INT64_C(1763805600000) + (int64_t)episode,
        .fired_ms = INT64_C(1763805600000) + (int64_t)episode,
        .cleared_ms = INT64_C(1763805500000),
    };
}

static void tick(struct bench *bench)
{
    int64_t before_us = clock_now_us();
    if (memory_tick(bench->memory) < 0)
        fail("memory_tick");
    uint64_t took_us = (uint64_t)(clock_now_us() - before_us);
    bench->longest_us = took_us > bench->longest_us ? took_us : bench->longest_us;
    bench->ticks++;
}

static uint64_t written(void)
{
    char line[64];
    unsigned long long bytes = 0;
    FILE *file = fopen("/proc/self/io", "re");
    while (file && fgets(line, sizeof(line), file))
        sscanf(line, "wchar: %llu", &bytes);
    if (file)
        fclose(file);
    return bytes;
}

static void open_memory(struct bench *bench, const char *directory, const char *what)
{
    int64_t before_us = clock_now_us();
    if (memory_open(&bench->memory, directory, bench->engine, INT64_C(1763805600000)) < 0)
        fail("memory_open");
    printf("%s: %.2f s\n", what, (double)(clock_now_us() - before_us) / 1e6);
}

int main(int argc, char **argv)
{
    static const struct engine_handlers handlers;
    struct bench bench = {0};
    if (argc != 2 || engine_open(&bench.engine, rules(), &handlers, NULL) < 0)
        fail("give it a directory");
    for (int i = 0; i < N_RULES * N_DEVICES; i++) {
        struct engine_memory memory = change(i, 1);
        if (engine_restore(bench.engine, &memory, memory.since_ms) < 0)
            fail("engine_restore");
    }
    open_memory(&bench, argv[1], "start, written whole");
    uint64_t before = written();
    printf("file: %.1f MiB\n", (double)before / (1 << 20));
    int64_t before_us = clock_now_us();
    for (int i = 0; i < N_CHANGES; i++) { /* a tick of 10 ms each 100 changes: 10,000 a second */
        struct engine_memory memory = change((int)(i * INT64_C(7919) % (N_RULES * N_DEVICES)), 2);
        if (memory_add(bench.memory, &memory) < 0)
            fail("memory_add");
        if (i % 100 == 99)
            tick(&bench);
    }
    double seconds = (double)(clock_now_us() - before_us) / 1e6;
    double bytes = (double)(written() - before);
    printf(
        "%d changes: %.1f us each with all that follows, %.0f bytes each; longest slice %.1f ms\n",
        N_CHANGES, seconds / N_CHANGES * 1e6, bytes / N_CHANGES, (double)bench.longest_us / 1000);
    memory_close(bench.memory);
    open_memory(&bench, argv[1], "start, read and written whole");
    memory_close(bench.memory);
    engine_close(bench.engine);
    return 0;
}
