#include "line.h"

#include "log.h"
#include "settings_keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    const struct line_shared *shared;    /* borrowed */
    const struct bus_settings *settings; /* borrowed */
    struct worker *worker;               /* NULL once it was halted */
    struct unit **units;                 /* owned array of settings->n_units; NULL: moved, closed */
    size_t n_units;
    struct pace *paces;  /* owned; of each group, unit by unit */
    struct holes *holes; /* owned array of settings->n_units: see hole_file.h */
    bool told;           /* the link's state was logged */
    bool up;
};

static void take_link(struct line *line, const struct answer *answer)
{
    bool up = answer->result == 0;

    for (size_t i = 0; i < line->n_units; i++)
        unit_take_link(line->units[i], up ? NULL : answer->text, answer->time_ms);
    if (line->told && line->up == up)
        return;
    line->told = true;
    line->up = up;
    if (up)
        log_info("bus_up", "url=%s%s%s", line->settings->url, *answer->text ? " " : "",
                 answer->text);
    else
        log_warning("bus_down", "url=%s reason=\"%s\"", line->settings->url, answer->text);
}

/* The other devices of the same unit may not be asked before its breaker closes: they hear of it
 * here. */
static void share_breaker(struct line *line, const struct answer *answer)
{
    struct unit_settings *const *units = line->settings->units;

    for (size_t i = 0; i < line->n_units; i++)
        if (i != answer->unit && units[i]->breaker_of == units[answer->unit]->breaker_of)
            unit_take_breaker(line->units[i], answer->breaker, answer->time_ms);
}

/* For all devices of that unit. */
static void take_holes(struct line *line, const struct answer *answer)
{
    struct unit_settings *const *units = line->settings->units;
    struct holes fresh;

    if (holes_copy(&fresh, &answer->holes) != 0) {
        holes_free(&fresh);
        return;
    }
    holes_free(&line->holes[answer->unit]);
    line->holes[answer->unit] = fresh;
    for (size_t i = 0; i < line->n_units; i++)
        if (units[i]->breaker_of == answer->unit)
            unit_take_holes(line->units[i], &fresh);
    line->shared->on_holes(line->shared->self);
}

void line_take(struct line *line, const struct answer *answer)
{
    switch (answer->kind) {
    case ANSWER_LINK:
        take_link(line, answer);
        return;
    case ANSWER_ROUND:
        unit_take_round(line->units[answer->unit], answer);
        break;
    case ANSWER_HOLES:
        take_holes(line, answer);
        break;
    case ANSWER_WRITE:
        unit_take_write(line->units[answer->unit], answer);
        break;
    case ANSWER_FEED:
        unit_take_feed(line->units[answer->unit], answer);
        break;
    }
    share_breaker(line, answer);
}

/* The device that goes by these settings, taken out of the line; NULL where there is none. */
static struct unit *take_unit(struct line *line, const struct unit_settings *settings)
{
    for (size_t i = 0; line && i < line->n_units; i++) {
        struct unit *unit = line->units[i];

        if (!unit || unit_settings_of(unit) != settings)
            continue;
        line->units[i] = NULL;
        return unit;
    }
    return NULL;
}

static int open_unit(struct line *line, size_t index, struct line *before)
{
    struct service *service = line->shared->service;
    const struct unit_settings *settings = line->settings->units[index];
    struct unit_options options = {.settings = settings,
                                   .index = index,
                                   .holes = &line->holes[settings->breaker_of],
                                   .worker = line->worker,
                                   .mqtt = service_mqtt(service),
                                   .backlog = line->shared->backlog,
                                   .health = service_health(service),
                                   .state_dir = service_state_dir(service),
                                   .sample = line->shared->sample};
    struct unit *kept = take_unit(before, settings);

    if (!kept)
        return unit_open(&line->units[index], &options);
    unit_move(kept, line->worker, index);
    line->units[index] = kept;
    return 0;
}

static struct pace *open_paces(const struct bus_settings *settings)
{
    struct pace *paces;
    size_t n = 0;

    for (size_t i = 0; i < settings->n_units; i++)
        n += settings->units[i]->n_groups;
    paces = calloc(n + 1, sizeof *paces);
    for (size_t i = 0; paces && i < n; i++)
        pace_init(&paces[i]);
    return paces;
}

void line_write_paces(struct line *line, struct jsonw *w)
{
    struct pace *pace = line->paces;

    for (size_t i = 0; i < line->settings->n_units; i++) {
        const struct unit_settings *unit = line->settings->units[i];

        for (size_t j = 0; j < unit->n_groups; j++) {
            char key[3 * TOPIC_NAME_SIZE];

            snprintf(key, sizeof key, "%s/%s/%s", unit->location, unit->device,
                     unit->groups[j].measurement);
            pace_write(pace++, w, key);
        }
    }
}

int line_open(struct line **out, const struct line_shared *shared,
              const struct bus_settings *settings, struct holes *holes, struct line *before)
{
    struct line *line = calloc(1, sizeof *line);
    struct driver_options driver = {.settings = settings,
                                    .known = holes,
                                    .health = service_health(shared->service),
                                    .answers = shared->answers,
                                    .owner = line};
    int rc = -ENOMEM;

    if (!line)
        return -ENOMEM;
    *line = (struct line){.shared = shared, .settings = settings, .holes = holes};
    line->units = calloc(settings->n_units + 1, sizeof(*line->units));
    line->paces = driver.paces = open_paces(settings);
    if (line->units && line->paces)
        rc = worker_open(&line->worker, &driver);
    for (size_t i = 0; i < settings->n_units && rc == 0; i++) {
        rc = open_unit(line, i, before);
        line->n_units += rc == 0;
    }
    if (rc != 0) {
        line->holes = NULL; /* the caller's still */
        line_close(line);
        return rc;
    }
    *out = line;
    return 0;
}

void line_stop(struct line *line)
{
    if (line->worker)
        worker_stop(line->worker);
}

void line_halt(struct line *line)
{
    worker_close(line->worker);
    line->worker = NULL;
    for (size_t i = 0; i < line->n_units; i++)
        if (line->units[i])
            unit_halt(line->units[i]);
}

static bool has_settings(const struct bus_settings *bus, const struct unit_settings *unit)
{
    for (size_t i = 0; bus && i < bus->n_units; i++)
        if (bus->units[i] == unit)
            return true;
    return false;
}

void line_part(struct line *line, const struct bus_settings *bus, const struct settings *fresh)
{
    for (size_t i = 0; i < line->n_units; i++) {
        struct unit *unit = line->units[i];

        if (!unit || has_settings(bus, unit_settings_of(unit)))
            continue;
        if (fresh)
            unit_part(unit, settings_find(fresh, unit_settings_of(unit)));
        unit_close(unit);
        line->units[i] = NULL;
    }
}

void line_close(struct line *line)
{
    if (!line)
        return;
    line_part(line, NULL, NULL);
    line_halt(line);
    for (size_t i = 0; line->holes && i < line->settings->n_units; i++)
        holes_free(&line->holes[i]);
    free(line->holes);
    free(line->paces);
    free(line->units);
    free(line);
}

void line_each(struct line *line, line_unit_fn *call)
{
    for (size_t i = 0; i < line->n_units; i++)
        call(line->units[i]);
}

bool line_is_writing(const struct line *line)
{
    for (size_t i = 0; i < line->n_units; i++)
        if (unit_is_writing(line->units[i]))
            return true;
    return false;
}

void line_renew(struct line *line)
{
    worker_renew(line->worker);
}

int64_t line_moved_ms(const struct line *line)
{
    return worker_moved_ms(line->worker);
}

const struct bus_settings *line_settings(const struct line *line)
{
    return line->settings;
}

struct holes *line_holes(const struct line *line)
{
    return line->holes;
}
