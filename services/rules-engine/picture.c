#include "picture.h"
#include "hash.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct picture {
    struct picture_device **buckets; /* chained hash; a power of two */
    size_t n_buckets;
    size_t n_devices;
    size_t n_series;
};

int picture_open(struct picture **out)
{
    struct picture *picture = calloc(1, sizeof(*picture));
    if (!picture)
        return -ENOMEM;
    picture->n_buckets = 64;
    picture->buckets = calloc(picture->n_buckets, sizeof(struct picture_device *));
    if (!picture->buckets) {
        free(picture);
        return -ENOMEM;
    }
    *out = picture;
    return 0;
}

static void free_field(struct picture_field *field)
{
    free(field->name);
    value_free(&field->value);
    value_free(&field->previous);
    while (field->windows) {
        struct picture_window *next = field->windows->next;
        window_free(&field->windows->window);
        free(field->windows);
        field->windows = next;
    }
}

static void free_series(struct series *series)
{
    for (size_t i = 0; i < series->n_fields; i++)
        free_field(&series->fields[i]);
    free(series->fields);
    free(series->watchers);
    free(series);
}

static void free_device(struct picture_device *device)
{
    while (device->series) {
        struct series *next = device->series->next;
        free_series(device->series);
        device->series = next;
    }
    free(device);
}

void picture_close(struct picture *picture)
{
    if (!picture)
        return;
    for (size_t i = 0; i < picture->n_buckets; i++) {
        while (picture->buckets[i]) {
            struct picture_device *next = picture->buckets[i]->next;
            free_device(picture->buckets[i]);
            picture->buckets[i] = next;
        }
    }
    free(picture->buckets);
    free(picture);
}

static struct picture_device **bucket(struct picture_device **buckets, size_t n_buckets,
                                      const char *location, const char *name)
{
    uint64_t hash = hash_text(hash_text(HASH_START, location), name);
    return &buckets[hash & (n_buckets - 1)];
}

/* Twice the buckets when there is a device for each; without memory it only gets slower. */
static void make_room(struct picture *picture)
{
    if (picture->n_devices < picture->n_buckets)
        return;
    size_t n = picture->n_buckets * 2;
    struct picture_device **buckets = calloc(n, sizeof(struct picture_device *));
    if (!buckets)
        return;
    for (size_t i = 0; i < picture->n_buckets; i++) {
        for (struct picture_device *device = picture->buckets[i], *next; device; device = next) {
            struct picture_device **head = bucket(buckets, n, device->location, device->name);
            next = device->next;
            device->next = *head;
            *head = device;
        }
    }
    free(picture->buckets);
    picture->buckets = buckets;
    picture->n_buckets = n;
}

struct picture_device *picture_device(struct picture *picture, const char *location,
                                      const char *name)
{
    struct picture_device **head = bucket(picture->buckets, picture->n_buckets, location, name);
    for (struct picture_device *device = *head; device; device = device->next)
        if (strcmp(device->name, name) == 0 && strcmp(device->location, location) == 0)
            return device;
    struct picture_device *device = calloc(1, sizeof(*device));
    if (!device)
        return NULL;
    snprintf(device->location, sizeof(device->location), "%s", location);
    snprintf(device->name, sizeof(device->name), "%s", name);
    make_room(picture);
    head = bucket(picture->buckets, picture->n_buckets, location, name);
    device->next = *head;
    *head = device;
    picture->n_devices++;
    return device;
}

struct series *picture_series(struct picture *picture, const char *location, const char *device,
                              const char *measurement)
{
    struct picture_device *owner = picture_device(picture, location, device);
    if (!owner)
        return NULL;
    for (struct series *series = owner->series; series; series = series->next)
        if (strcmp(series->measurement, measurement) == 0)
            return series;
    if (picture->n_series == PICTURE_SERIES_MAX)
        return NULL;
    struct series *series = calloc(1, sizeof(*series));
    if (!series)
        return NULL;
    snprintf(series->measurement, sizeof(series->measurement), "%s", measurement);
    series->device = owner;
    series->next = owner->series;
    owner->series = series;
    picture->n_series++;
    return series;
}

void picture_walk(const struct picture *picture, picture_series_fn *on_series, void *self)
{
    for (size_t i = 0; i < picture->n_buckets; i++)
        for (const struct picture_device *device = picture->buckets[i]; device;
             device = device->next)
            for (const struct series *series = device->series; series; series = series->next)
                on_series(self, series);
}

static int add_field(struct series *series, const char *name)
{
    if (series->n_fields == READING_FIELDS_MAX)
        return -E2BIG;
    size_t n = series->n_fields;
    if (n == 0 || (n >= 4 && (n & (n - 1)) == 0)) {
        struct picture_field *fields =
            realloc(series->fields, (n ? 2 * n : 4) * sizeof(*series->fields));
        if (!fields)
            return -ENOMEM;
        series->fields = fields;
    }
    series->fields[n] = (struct picture_field){.name = strdup(name)};
    if (!series->fields[n].name)
        return -ENOMEM;
    series->n_fields++;
    return (int)n;
}

/* Readings name their fields in the same order each time, so `guess` is mostly right. */
static int find_field(const struct series *series, const char *name, size_t guess)
{
    if (guess < series->n_fields && strcmp(series->fields[guess].name, name) == 0)
        return (int)guess;
    for (size_t i = 0; i < series->n_fields; i++)
        if (strcmp(series->fields[i].name, name) == 0)
            return (int)i;
    return -ENOENT;
}

static int find_or_add_field(struct series *series, const char *name, size_t guess)
{
    int index = find_field(series, name, guess);
    return index >= 0 ? index : add_field(series, name);
}

int series_field(struct series *series, const char *name)
{
    return find_or_add_field(series, name, 0);
}

struct window *series_window(struct series *series, size_t field, enum expression_window kind,
                             int64_t length_ms)
{
    struct picture_window **windows = &series->fields[field].windows;
    for (struct picture_window *item = *windows; item; item = item->next)
        if (item->window.kind == kind && item->window.length_ms == length_ms)
            return &item->window;
    struct picture_window *item = malloc(sizeof(*item));
    if (!item)
        return NULL;
    window_init(&item->window, kind, length_ms);
    item->next = *windows;
    *windows = item;
    return &item->window;
}

/* Texts are nothing to reckon with. */
static int feed_windows(struct picture_field *field, int64_t now_ms)
{
    int error = 0;
    if (field->value.type != VALUE_NUMBER && field->value.type != VALUE_BOOL)
        return 0;
    double number = field->value.type == VALUE_BOOL ? field->value.boolean : field->value.number;
    for (struct picture_window *item = field->windows; item && !error; item = item->next)
        error = window_add(&item->window, number, field->ts_ms, now_ms);
    return error;
}

static int set_field(struct picture_field *field, const struct value *value, int64_t ts_ms,
                     int64_t now_ms)
{
    struct value copy;
    if (value_copy(&copy, value) < 0)
        return -ENOMEM;
    value_free(&field->previous);
    field->previous = field->value;
    field->previous_ms = field->ts_ms;
    field->value = copy;
    field->ts_ms = ts_ms;
    field->good = true;
    return feed_windows(field, now_ms);
}

int series_take(struct series *series, const struct reading *reading, int64_t time_ms)
{
    int64_t ts_ms = reading->ts_ms < time_ms ? reading->ts_ms : time_ms;
    if (ts_ms < series->ts_ms)
        return -ESTALE;
    if (ts_ms == series->ts_ms && reading->seq == series->seq)
        return -EALREADY;
    series->missing = reading_gap(reading, series->seq, series->ts_ms);
    series->ts_ms = ts_ms;
    series->seq = reading->seq;
    size_t guess = 0;
    for (size_t i = 0; i < reading->n_fields; i++) {
        int index = find_or_add_field(series, reading->fields[i].name, guess);
        if (index < 0)
            return index;
        int error = set_field(&series->fields[index], &reading->fields[i].value, ts_ms, time_ms);
        if (error)
            return error;
        guess = (size_t)index + 1;
    }
    for (size_t i = 0; i < reading->n_faults; i++) {
        int index = find_field(series, reading->faults[i].name, guess);
        if (index >= 0)
            series->fields[index].good = false;
    }
    if (!series->own && series->device->offline && ts_ms > series->device->offline_ms)
        series->device->offline = false; /* it speaks: the word about its end is out of date */
    return 0;
}

int series_watch(struct series *series, struct instance *watcher)
{
    size_t n = series->n_watchers;
    if (n > 0 && series->watchers[n - 1] == watcher)
        return 0;
    if ((n & (n - 1)) == 0) {
        struct instance **watchers =
            realloc(series->watchers, (n ? 2 * n : 1) * sizeof(struct instance *));
        if (!watchers)
            return -ENOMEM;
        series->watchers = watchers;
    }
    series->watchers[n] = watcher;
    series->n_watchers++;
    return 0;
}
