/* The last that is known of every device: fields of measurements of devices. Pure.
 *
 * Things are made when they are first asked for and stay until picture_close(), so that whoever
 * reads them may keep the pointer. */
#ifndef PICTURE_H
#define PICTURE_H

#include "reading.h"
#include "topic.h"
#include "window.h"

#include <stdbool.h>
#include <stdint.h>

#define PICTURE_SERIES_MAX 1000000

struct picture;
struct instance;

struct picture_window {
    struct picture_window *next; /* of the same field */
    struct window window;
};

struct picture_field {
    char *name;
    struct value value;             /* owned; the last good one */
    struct value previous;          /* owned; the good one before it */
    int64_t ts_ms;                  /* when `value` was read */
    int64_t previous_ms;            /* when `previous` was */
    struct picture_window *windows; /* owned; whoever asks for the same shares it */
    bool good;                      /* the last reading that named the field had a value for it */
};

/* A measurement of a device. */
struct series {
    struct picture_device *device;
    struct series *next; /* of the same device */
    char measurement[TOPIC_NAME_SIZE];
    struct picture_field *fields;
    size_t n_fields;
    int64_t ts_ms; /* of the last reading; 0 before the first */
    uint64_t seq;
    uint64_t missing;           /* readings that never came, just before the last one */
    struct instance **watchers; /* the engine's: who reads it */
    size_t n_watchers;
    uint32_t first_own, n_own; /* the engine's: those of them that select it */
    bool matched;              /* the engine's: it knows whose rules select it */
    bool own;                  /* the engine's: it computes this one itself */
};

struct picture_device {
    struct picture_device *next; /* of the same hash */
    char location[TOPIC_NAME_SIZE];
    char name[TOPIC_NAME_SIZE];
    struct series *series;
    bool offline;
    int64_t offline_ms; /* since when */
};

int picture_open(struct picture **out); /* 0 or -ENOMEM */
void picture_close(struct picture *picture);

/* Found or made. NULL where there is no memory or no room. */
struct picture_device *picture_device(struct picture *picture, const char *location,
                                      const char *name);
struct series *picture_series(struct picture *picture, const char *location, const char *device,
                              const char *measurement);

/* Every series, in no order that means anything. */
typedef void picture_series_fn(void *self, const struct series *series);
void picture_walk(const struct picture *picture, picture_series_fn *on_series, void *self);

/* Index of a field in series->fields, found or made; -ENOMEM, -E2BIG past READING_FIELDS_MAX. */
int series_field(struct series *series, const char *name);

/* A window of a field, found or made; NULL where there is no memory. It takes what comes from now
 * on. */
struct window *series_window(struct series *series, size_t field, enum expression_window kind,
                             int64_t length_ms);

/* Takes a reading over. `time_ms` is the present: a reading from the future counts as of now, so
 * that a clock that ran ahead cannot lock the series. Returns 0; -EALREADY for the one that is
 * already there, -ESTALE for an older one, and then nothing has changed; -ENOMEM, -E2BIG. */
int series_take(struct series *series, const struct reading *reading, int64_t time_ms);

/* Adds a watcher, unless it is the one added last. 0 or -ENOMEM. */
int series_watch(struct series *series, struct instance *watcher);

#endif
