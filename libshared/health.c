#include "health.h"

#include "jsonw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ERROR_SIZE 256

struct counter {
    health_counter count; /* first: a counter is handed out by the address of its count */
    struct counter *next;
    char name[];
};

struct gauge {
    struct gauge *next;
    bool is_breaker;
    enum breaker_state breaker;
    double number;
    char name[];
};

struct sampler {
    struct sampler *next;
    health_sample_fn *sample;
    void *self;
};

struct health {
    struct counter *counters; /* in the order of their making, as are the gauges */
    struct gauge *gauges;
    struct sampler *samplers;
    health_members_fn *write_members; /* NULL: none */
    void *members_self;
    int64_t error_ms; /* 0: no error yet */
    char error[ERROR_SIZE];
};

static health_counter unpublished;

int health_open(struct health **out)
{
    *out = calloc(1, sizeof **out);
    return *out ? 0 : -ENOMEM;
}

void health_close(struct health *health)
{
    if (!health)
        return;
    for (struct counter *at = health->counters, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    for (struct gauge *at = health->gauges, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    for (struct sampler *at = health->samplers, *next; at; at = next) {
        next = at->next;
        free(at);
    }
    free(health);
}

health_counter *health_count(struct health *health, const char *name)
{
    struct counter **link = &health->counters;
    for (; *link; link = &(*link)->next)
        if (strcmp((*link)->name, name) == 0)
            return &(*link)->count;
    struct counter *counter = calloc(1, sizeof *counter + strlen(name) + 1);
    if (!counter)
        return &unpublished;
    strcpy(counter->name, name);
    *link = counter;
    return &counter->count;
}

int health_on_sample(struct health *health, health_sample_fn *sample, void *self)
{
    struct sampler *sampler = calloc(1, sizeof *sampler);
    if (!sampler)
        return -ENOMEM;
    *sampler = (struct sampler){.next = health->samplers, .sample = sample, .self = self};
    health->samplers = sampler;
    return 0;
}

void health_off_sample(struct health *health, void *self)
{
    for (struct sampler **link = &health->samplers; *link;) {
        struct sampler *sampler = *link;
        if (sampler->self == self) {
            *link = sampler->next;
            free(sampler);
        } else {
            link = &sampler->next;
        }
    }
}

void health_set_members(struct health *health, health_members_fn *write, void *self)
{
    health->write_members = write;
    health->members_self = self;
}

static struct gauge *find_gauge(struct health *health, const char *name)
{
    struct gauge **link = &health->gauges;
    for (; *link; link = &(*link)->next)
        if (strcmp((*link)->name, name) == 0)
            return *link;
    struct gauge *gauge = calloc(1, sizeof *gauge + strlen(name) + 1);
    if (gauge)
        strcpy(gauge->name, name);
    return *link = gauge;
}

void health_set(struct health *health, const char *name, double number)
{
    struct gauge *gauge = find_gauge(health, name);
    if (gauge)
        gauge->number = number;
}

void health_drop(struct health *health, const char *name)
{
    for (struct gauge **link = &health->gauges; *link; link = &(*link)->next) {
        struct gauge *gauge = *link;
        if (strcmp(gauge->name, name) != 0)
            continue;
        *link = gauge->next;
        free(gauge);
        return;
    }
}

void health_set_breaker(struct health *health, const char *name, enum breaker_state state)
{
    struct gauge *gauge = find_gauge(health, name);
    if (!gauge)
        return;
    gauge->is_breaker = true;
    gauge->breaker = state;
}

void health_set_error(struct health *health, int64_t time_ms, const char *error)
{
    health->error_ms = time_ms;
    snprintf(health->error, sizeof health->error, "%s", error);
}

/* Second field of /proc/self/statm, in pages: proc(5). */
static int64_t resident_bytes(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fscanf(file, "%*d %ld", &pages) != 1)
        pages = 0;
    fclose(file);
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void write_gauges(const struct health *health, struct jsonw *w, bool breakers)
{
    jsonw_object_begin(w, breakers ? "breakers" : "gauges");
    for (const struct gauge *at = health->gauges; at; at = at->next) {
        if (at->is_breaker != breakers)
            continue;
        if (breakers)
            jsonw_text(w, at->name, breaker_state_name(at->breaker));
        else
            jsonw_number(w, at->name, at->number);
    }
    jsonw_object_end(w);
}

static void write_error(const struct health *health, struct jsonw *w)
{
    if (health->error_ms == 0) {
        jsonw_null(w, "last_error");
        return;
    }
    jsonw_object_begin(w, "last_error");
    jsonw_integer(w, "ts", health->error_ms);
    jsonw_text(w, "text", health->error);
    jsonw_object_end(w);
}

int health_encode(struct health *health, int64_t time_ms, int64_t uptime_ms, int64_t session,
                  struct buffer *out)
{
    for (struct sampler *at = health->samplers; at; at = at->next)
        at->sample(at->self, health);
    struct jsonw w = jsonw_start(out);
    jsonw_object_begin(&w, NULL);
    jsonw_integer(&w, "ts", time_ms);
    jsonw_integer(&w, "session", session);
    jsonw_integer(&w, "uptime_ms", uptime_ms);
    jsonw_integer(&w, "rss_bytes", resident_bytes());
    jsonw_object_begin(&w, "counters");
    for (struct counter *at = health->counters; at; at = at->next)
        jsonw_unsigned(&w, at->name, atomic_load_explicit(&at->count, memory_order_relaxed));
    jsonw_object_end(&w);
    write_gauges(health, &w, false);
    write_gauges(health, &w, true);
    write_error(health, &w);
    if (health->write_members)
        health->write_members(health->members_self, &w);
    jsonw_object_end(&w);
    return out->failed ? -ENOMEM : 0;
}
