#include "agent.h"

#include "clock.h"
#include "hole_file.h"
#include "log.h"
#include "settings.h"
#include "unit.h"
#include "worker.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STUCK_MS 60000 /* no time-out that can be configured is longer */
#define ANSWERS_BYTES (1024 * 1024)
#define ANSWERS_BYTES_LINE (16 * 1024) /* besides, for each line */

/* A bus as the loop has it. */
struct line {
    struct agent *agent;
    const struct bus_settings *settings; /* borrowed */
    struct worker *worker;
    struct unit **units; /* owned array of settings->n_units */
    struct holes *holes; /* owned array of settings->n_units: see hole_file.h */
    bool told;           /* the link's state was logged */
    bool up;
};

struct agent {
    struct service *service; /* borrowed */
    struct inbox *answers;   /* of all lines */
    struct sample sample;    /* shared by all units */
    struct backlog *backlog;
    const struct settings *settings; /* borrowed */
    char hole_file[PATH_MAX];        /* empty: nothing is kept */
    struct holes **holes;            /* owned array of what the lines own */
    size_t n_lines;
    struct line lines[];
};

static void take_link(struct line *line, const struct answer *answer)
{
    bool up = answer->result == 0;

    for (size_t i = 0; i < line->settings->n_units; i++)
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
 * here.
 */
static void share_breaker(struct line *line, const struct answer *answer)
{
    struct unit_settings *const *units = line->settings->units;

    for (size_t i = 0; i < line->settings->n_units; i++)
        if (i != answer->unit && units[i]->breaker_of == units[answer->unit]->breaker_of)
            unit_take_breaker(line->units[i], answer->breaker, answer->time_ms);
}

static void store_holes(struct agent *agent)
{
    int rc = -ENOENT;

    if (*agent->hole_file)
        rc = hole_file_store(agent->hole_file, agent->settings, agent->holes);
    if (rc != 0 && rc != -ENOENT)
        log_warning("holes_not_kept", "file=%s reason=\"%s\"", agent->hole_file, strerror(-rc));
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
    for (size_t i = 0; i < line->settings->n_units; i++)
        if (units[i]->breaker_of == answer->unit)
            unit_take_holes(line->units[i], &fresh);
    store_holes(line->agent);
}

static void take_answer(struct line *line, const struct answer *answer)
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

static void on_answers(void *self, short revents)
{
    struct agent *agent = self;
    struct answer *answer = (struct answer *)inbox_take(agent->answers);

    (void)revents;
    while (answer) {
        struct answer *next = (struct answer *)answer->item.next;

        take_answer(answer->owner, answer);
        free(answer);
        answer = next;
    }
}

static int open_line(struct line *line)
{
    struct service *service = line->agent->service;
    struct driver_options driver = {.settings = line->settings,
                                    .known = line->holes,
                                    .health = service_health(service),
                                    .answers = line->agent->answers,
                                    .owner = line};
    int rc = worker_open(&line->worker, &driver);

    if (rc != 0)
        return rc;
    line->units = calloc(line->settings->n_units, sizeof *line->units);
    if (!line->units)
        return -ENOMEM;
    for (size_t i = 0; i < line->settings->n_units && rc == 0; i++) {
        struct unit_options options = {.settings = line->settings->units[i],
                                       .index = i,
                                       .holes = &line->holes[line->settings->units[i]->breaker_of],
                                       .worker = line->worker,
                                       .mqtt = service_mqtt(service),
                                       .backlog = line->agent->backlog,
                                       .health = service_health(service),
                                       .state_dir = service_state_dir(service),
                                       .sample = &line->agent->sample};

        rc = unit_open(&line->units[i], &options);
    }
    return rc;
}

static void close_line(struct line *line)
{
    for (size_t i = 0; line->holes && i < line->settings->n_units; i++)
        holes_free(&line->holes[i]);
    free(line->holes);
    if (!line->worker)
        return;
    for (size_t i = 0; line->units && i < line->settings->n_units; i++)
        unit_close(line->units[i]);
    free(line->units);
    worker_close(line->worker);
}

/* Makes the lines, each with what is known of its units. */
static int load_holes(struct agent *agent)
{
    const struct settings *settings = agent->settings;
    const char *directory = service_state_dir(agent->service);
    int rc;

    agent->holes = calloc(settings->n_buses + 1, sizeof *agent->holes);
    if (!agent->holes)
        return -ENOMEM;
    for (size_t i = 0; i < settings->n_buses; i++) {
        struct line *line = &agent->lines[agent->n_lines++];

        *line = (struct line){.agent = agent, .settings = settings->buses[i]};
        line->holes = calloc(line->settings->n_units + 1, sizeof *line->holes);
        if (!line->holes)
            return -ENOMEM;
        agent->holes[i] = line->holes;
    }
    if (!*directory || (size_t)snprintf(agent->hole_file, sizeof agent->hole_file, "%s/holes",
                                        directory) >= sizeof agent->hole_file) {
        agent->hole_file[0] = '\0';
        return 0;
    }
    rc = hole_file_load(agent->hole_file, settings, agent->holes);
    if (rc != 0 && rc != -ENOMEM)
        log_warning("holes_unknown", "file=%s reason=\"%s\"", agent->hole_file, strerror(-rc));
    return rc == -ENOMEM ? rc : 0;
}

static size_t most_texts(const struct settings *settings)
{
    size_t most = 0;

    for (size_t i = 0; i < settings->n_buses; i++)
        for (size_t j = 0; j < settings->buses[i]->n_units; j++)
            for (size_t k = 0; k < settings->buses[i]->units[j]->n_groups; k++) {
                size_t n = sample_texts(&settings->buses[i]->units[j]->groups[k]);

                most = n > most ? n : most;
            }
    return most;
}

static void free_answer(struct inbox_item *item)
{
    free(item);
}

/* One inbox for all: a loop that polls a thousand descriptors does little else. */
static int open_answers(struct agent *agent)
{
    size_t capacity = ANSWERS_BYTES + agent->settings->n_buses * ANSWERS_BYTES_LINE;
    int rc = inbox_open(&agent->answers, capacity, free_answer);

    if (rc != 0)
        return rc;
    return loop_watch(service_loop(agent->service), inbox_fd(agent->answers), POLLIN, on_answers,
                      agent);
}

int agent_start(void **self, struct service *service, const void *settings)
{
    const struct settings *read = settings;
    struct agent *agent = calloc(1, sizeof *agent + read->n_buses * sizeof agent->lines[0]);
    int rc;

    if (!agent)
        return -ENOMEM;
    agent->service = service;
    agent->settings = read;
    rc = backlog_open(&agent->backlog, service, &read->backlog);
    if (rc == 0)
        rc = sample_open(&agent->sample, most_texts(read));
    if (rc == 0)
        rc = open_answers(agent);
    if (rc == 0)
        rc = load_holes(agent);
    for (size_t i = 0; i < agent->n_lines && rc == 0; i++)
        rc = open_line(&agent->lines[i]);
    if (rc != 0) {
        agent_close(agent);
        return rc;
    }
    *self = agent;
    return 0;
}

/* All threads are told to end before any is waited for. */
void agent_close(void *self)
{
    struct agent *agent = self;

    if (!agent)
        return;
    for (size_t i = 0; i < agent->n_lines; i++)
        if (agent->lines[i].worker)
            worker_stop(agent->lines[i].worker);
    for (size_t i = 0; i < agent->n_lines; i++)
        close_line(&agent->lines[i]);
    if (agent->answers)
        loop_unwatch(service_loop(agent->service), inbox_fd(agent->answers));
    inbox_close(agent->answers);
    sample_close(&agent->sample);
    backlog_close(agent->backlog);
    free(agent->holes);
    free(agent);
}

typedef void unit_fn(struct unit *unit);

static void each_unit(struct agent *agent, unit_fn *call)
{
    for (size_t i = 0; i < agent->n_lines; i++)
        for (size_t j = 0; j < agent->lines[i].settings->n_units; j++)
            call(agent->lines[i].units[j]);
}

void agent_on_link(void *self, bool up)
{
    struct agent *agent = self;

    if (!up)
        return;
    each_unit(agent, unit_announce);
    for (size_t i = 0; i < agent->n_lines; i++)
        worker_renew(agent->lines[i].worker); /* the broker may have lost the last readings */
}

void agent_drain(void *self)
{
    each_unit(self, unit_refuse_commands);
}

bool agent_drained(void *self)
{
    const struct agent *agent = self;

    for (size_t i = 0; i < agent->n_lines; i++)
        for (size_t j = 0; j < agent->lines[i].settings->n_units; j++)
            if (unit_is_writing(agent->lines[i].units[j]))
                return false;
    return true;
}

/* A device that is away is no fault of ours; a thread that hangs is. */
bool agent_working(void *self, char *why, size_t size)
{
    const struct agent *agent = self;
    int64_t now_ms = clock_now_ms();

    for (size_t i = 0; i < agent->n_lines; i++) {
        int64_t still_ms = now_ms - worker_moved_ms(agent->lines[i].worker);

        if (still_ms <= 2 * STUCK_MS)
            continue;
        snprintf(why, size, "nothing has moved on bus %s for %lld s", agent->lines[i].settings->url,
                 (long long)still_ms / 1000);
        return false;
    }
    return true;
}
