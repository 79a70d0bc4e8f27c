#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

int report_open(struct report *out, size_t n_points, int64_t heartbeat_ms)
{
    *out = (struct report){.heartbeat_ms = heartbeat_ms};
    out->points = calloc(n_points + 1, sizeof *out->points);
    return out->points ? 0 : -ENOMEM;
}

void report_add(struct report *report, const char *name, const struct report_band *band)
{
    report->points[report->n_points++] = (struct report_point){.name = name, .band = *band};
}

void report_close(struct report *report)
{
    for (size_t i = 0; i < report->n_points; i++)
        value_free(&report->points[i].value);
    free(report->points);
    *report = (struct report){0};
}

void report_forget(struct report *report)
{
    report->begun = false;
}

static bool left_band(const struct report_point *point, const struct value *value)
{
    double band = fabs(point->value.number) * point->band.percent / 100;

    if (point->value.type != VALUE_NUMBER || value->type != VALUE_NUMBER)
        return !value_equal(&point->value, value);
    if (band < point->band.absolute)
        band = point->band.absolute;
    return fabs(value->number - point->value.number) > band;
}

/* A place in a reading, whose good values and faults are each in the order of the points. */
struct place {
    size_t field, fault;
};

struct state {
    struct value value; /* borrowed; VALUE_NONE where bad */
    const char *fault;  /* NULL where good */
};

static struct state next(const struct reading *reading, struct place *place, const char *name)
{
    struct state state = {.value.type = VALUE_NONE};

    if (place->field < reading->n_fields && strcmp(reading->fields[place->field].name, name) == 0)
        state.value = reading->fields[place->field++].value;
    else if (place->fault < reading->n_faults &&
             strcmp(reading->faults[place->fault].name, name) == 0)
        state.fault = reading->faults[place->fault++].reason;
    return state;
}

static bool changed(const struct report *report, const struct reading *reading)
{
    struct place place = {0};

    for (size_t i = 0; i < report->n_points; i++) {
        const struct report_point *point = &report->points[i];
        struct state state = next(reading, &place, point->name);

        if (!point->fault != !state.fault ||
            (state.fault && strcmp(point->fault, state.fault) != 0))
            return true;
        if (!state.fault && left_band(point, &state.value))
            return true;
    }
    return false;
}

static void remember(struct report *report, const struct reading *reading, int64_t now_ms)
{
    struct place place = {0};

    report->begun = true;
    report->last_ms = now_ms;
    for (size_t i = 0; i < report->n_points; i++) {
        struct report_point *point = &report->points[i];
        struct state state = next(reading, &place, point->name);

        value_free(&point->value);
        point->fault = state.fault;
        if (value_copy(&point->value, &state.value) != 0) {
            point->value = (struct value){.type = VALUE_NONE};
            report->begun = false; /* the next one is sent rather than kept back */
        }
    }
}

bool report_rests(const struct report *report, int64_t now_ms)
{
    return report->begun && now_ms - report->last_ms < report->heartbeat_ms;
}

bool report_due(struct report *report, const struct reading *reading, int64_t now_ms)
{
    if (report_rests(report, now_ms) && !changed(report, reading))
        return false;
    remember(report, reading, now_ms);
    return true;
}
