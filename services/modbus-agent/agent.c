#include "agent.h"

#include "clock.h"
#include "hole_file.h"
#include "jsonw.h"
#include "line.h"
#include "log.h"
#include "settings_keep.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STUCK_MS 60000 /* no time-out that can be configured is longer */
#define ANSWERS_BYTES (16 * 1024 * 1024)

struct agent {
    struct line_shared shared;
    struct sample sample;
    const struct settings *settings; /* borrowed */
    char hole_file[PATH_MAX];        /* empty: nothing is kept */
    struct line **lines;             /* owned array, beside the settings' buses */
    size_t n_lines;
};

/* For each bus its line's holes; owned by the caller, NULL where there is no memory. */
static struct holes **holes_of(const struct agent *agent)
{
    struct holes **holes = calloc(agent->n_lines + 1, sizeof(*holes));

    for (size_t i = 0; holes && i < agent->n_lines; i++)
        holes[i] = line_holes(agent->lines[i]);
    return holes;
}

static void on_holes(void *self)
{
    struct agent *agent = self;
    struct holes **holes;
    int rc;

    if (!*agent->hole_file)
        return;
    holes = holes_of(agent);
    rc = holes ? hole_file_store(agent->hole_file, agent->settings, holes) : -ENOMEM;
    free(holes);
    if (rc != 0)
        log_warning("holes_not_kept", "file=%s reason=\"%s\"", agent->hole_file, strerror(-rc));
}

static void on_answers(void *self, short revents)
{
    struct agent *agent = self;
    struct answer *answer = (struct answer *)inbox_take(agent->shared.answers);

    (void)revents;
    while (answer) {
        struct answer *next = (struct answer *)answer->item.next;

        line_take(answer->owner, answer);
        free(answer);
        answer = next;
    }
}

static void free_answer(struct inbox_item *item)
{
    free(item);
}

/* One inbox for all: a loop that polls a thousand descriptors does little else. */
static int open_answers(struct agent *agent)
{
    int rc = inbox_open(&agent->shared.answers, ANSWERS_BYTES, free_answer);

    if (rc != 0)
        return rc;
    return loop_watch(service_loop(agent->shared.service), inbox_fd(agent->shared.answers), POLLIN,
                      on_answers, agent);
}

static void name_hole_file(struct agent *agent)
{
    const char *directory = service_state_dir(agent->shared.service);

    if (!*directory || (size_t)snprintf(agent->hole_file, sizeof agent->hole_file, "%s/holes",
                                        directory) >= sizeof agent->hole_file)
        agent->hole_file[0] = '\0';
}

static void free_holes(struct holes **holes, const struct settings *settings)
{
    for (size_t i = 0; holes && i < settings->n_buses; i++) {
        for (size_t j = 0; holes[i] && j < settings->buses[i]->n_units; j++)
            holes_free(&holes[i][j]);
        free(holes[i]);
    }
    free(holes);
}

/* What is known of each bus's units. Returns 0 or -ENOMEM. */
static int load_holes(const struct agent *agent, struct holes ***out)
{
    const struct settings *settings = agent->settings;
    int rc = 0;

    *out = calloc(settings->n_buses + 1, sizeof(**out));
    for (size_t i = 0; *out && i < settings->n_buses; i++) {
        (*out)[i] = calloc(settings->buses[i]->n_units + 1, sizeof *(*out)[i]);
        if (!(*out)[i])
            return -ENOMEM;
    }
    if (!*out)
        return -ENOMEM;
    if (*agent->hole_file)
        rc = hole_file_load(agent->hole_file, settings, *out);
    if (rc != 0 && rc != -ENOMEM)
        log_warning("holes_unknown", "file=%s reason=\"%s\"", agent->hole_file, strerror(-rc));
    return rc == -ENOMEM ? rc : 0;
}

/* Of `lines`, the one that goes by these settings, taken out of them; NULL where there is none. */
static struct line *take_same(struct line **lines, size_t n, const struct bus_settings *settings)
{
    for (size_t i = 0; i < n; i++) {
        struct line *line = lines[i];

        if (!line || line_settings(line) != settings)
            continue;
        lines[i] = NULL;
        return line;
    }
    return NULL;
}

/* The one that was halted for a bus at this place; NULL where there is none. */
static struct line *find_before(struct line *const *lines, size_t n, const char *url)
{
    for (size_t i = 0; i < n; i++)
        if (lines[i] && strcmp(line_settings(lines[i])->url, url) == 0)
            return lines[i];
    return NULL;
}

/* Puts a line beside each bus: out of `lines` where there is one that goes by its settings, else a
 * new one. */
static int open_lines(struct agent *agent, struct line **lines, size_t n)
{
    const struct settings *settings = agent->settings;
    struct holes **holes;
    int rc = load_holes(agent, &holes);

    agent->n_lines = 0;
    agent->lines = calloc(settings->n_buses + 1, sizeof(*agent->lines));
    if (!agent->lines)
        rc = -ENOMEM;
    for (size_t i = 0; i < settings->n_buses && rc == 0; i++) {
        const struct bus_settings *bus = settings->buses[i];
        struct line **line = &agent->lines[i];

        *line = take_same(lines, n, bus);
        if (!*line) {
            rc = line_open(line, &agent->shared, bus, holes[i], find_before(lines, n, bus->url));
            holes[i] = rc == 0 ? NULL : holes[i];
        }
        agent->n_lines += rc == 0;
    }
    free_holes(holes, settings);
    return rc;
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

static void write_paces(void *self, struct jsonw *w)
{
    struct agent *agent = self;

    jsonw_object_begin(w, "groups");
    for (size_t i = 0; i < agent->n_lines; i++)
        line_write_paces(agent->lines[i], w);
    jsonw_object_end(w);
}

int agent_start(void **self, struct service *service, const void *settings)
{
    const struct settings *read = settings;
    struct agent *agent = calloc(1, sizeof *agent);
    int rc;

    if (!agent)
        return -ENOMEM;
    agent->shared = (struct line_shared){
        .service = service, .sample = &agent->sample, .on_holes = on_holes, .self = agent};
    agent->settings = read;
    name_hole_file(agent);
    rc = backlog_open(&agent->shared.backlog, service, &read->backlog);
    if (rc == 0)
        rc = sample_open(&agent->sample, most_texts(read));
    if (rc == 0)
        rc = open_answers(agent);
    if (rc == 0)
        rc = open_lines(agent, NULL, 0);
    if (rc != 0) {
        agent_close(agent);
        return rc;
    }
    health_set_members(service_health(service), write_paces, agent);
    *self = agent;
    return 0;
}

/* Ends the threads of the buses that are not the same any more, and takes their last answers. */
static void halt_changed(struct agent *agent, const struct settings *fresh)
{
    for (size_t i = 0; i < agent->n_lines; i++)
        if (!settings_has(fresh, line_settings(agent->lines[i])))
            line_stop(agent->lines[i]);
    for (size_t i = 0; i < agent->n_lines; i++)
        if (!settings_has(fresh, line_settings(agent->lines[i])))
            line_halt(agent->lines[i]);
    on_answers(agent, 0);
}

/* Before any is opened: a device may have moved to another bus, and must not be closed after. */
static void part_with_changed(struct agent *agent, const struct settings *fresh)
{
    for (size_t i = 0; i < agent->n_lines; i++) {
        const struct bus_settings *own = line_settings(agent->lines[i]);
        const struct bus_settings *next = NULL;

        for (size_t j = 0; j < fresh->n_buses && next != own; j++)
            if (fresh->buses[j] == own || strcmp(fresh->buses[j]->url, own->url) == 0)
                next = fresh->buses[j];
        if (next != own)
            line_part(agent->lines[i], next, fresh);
    }
}

/* Buses of which nothing was changed are not touched; of the others those devices go on that were
 * not, with their actuators' times and results. Waits for a request that is under way on a bus that
 * was changed. */
int agent_reload(void *self, void *fresh, void *old)
{
    struct agent *agent = self;
    struct line **lines = agent->lines;
    size_t n = agent->n_lines;
    int rc;

    backlog_reload(agent->shared.backlog, &((const struct settings *)fresh)->backlog);
    halt_changed(agent, fresh);
    settings_keep(fresh, old);
    part_with_changed(agent, fresh);
    agent->lines = NULL; /* what is left of them is closed here, also where this fails */
    agent->n_lines = 0;
    agent->settings = fresh;
    sample_close(&agent->sample);
    rc = sample_open(&agent->sample, most_texts(fresh));
    if (rc == 0)
        rc = open_lines(agent, lines, n);
    for (size_t i = 0; i < n; i++)
        line_close(lines[i]);
    if (rc != 0) { /* it ends now; answers may be left of a line that did not come to be */
        log_error("reload_failed", "reason=\"%s\"", strerror(-rc));
        loop_unwatch(service_loop(agent->shared.service), inbox_fd(agent->shared.answers));
    }
    free(lines);
    return rc;
}

/* All threads are told to end before any is waited for. */
void agent_close(void *self)
{
    struct agent *agent = self;

    if (!agent)
        return;
    health_set_members(service_health(agent->shared.service), NULL, NULL);
    for (size_t i = 0; i < agent->n_lines; i++)
        line_stop(agent->lines[i]);
    for (size_t i = 0; i < agent->n_lines; i++)
        line_close(agent->lines[i]);
    free(agent->lines);
    if (agent->shared.answers)
        loop_unwatch(service_loop(agent->shared.service), inbox_fd(agent->shared.answers));
    inbox_close(agent->shared.answers);
    sample_close(&agent->sample);
    backlog_close(agent->shared.backlog);
    free(agent);
}

static void each_unit(struct agent *agent, line_unit_fn *call)
{
    for (size_t i = 0; i < agent->n_lines; i++)
        line_each(agent->lines[i], call);
}

void agent_on_link(void *self, bool up)
{
    struct agent *agent = self;

    if (!up)
        return;
    each_unit(agent, unit_announce);
    for (size_t i = 0; i < agent->n_lines; i++)
        line_renew(agent->lines[i]); /* the broker may have lost the last readings */
}

void agent_drain(void *self)
{
    each_unit(self, unit_refuse_commands);
}

bool agent_drained(void *self)
{
    const struct agent *agent = self;

    for (size_t i = 0; i < agent->n_lines; i++)
        if (line_is_writing(agent->lines[i]))
            return false;
    return true;
}

/* A device that is away is no fault of ours; a thread that hangs is. */
bool agent_working(void *self, char *why, size_t size)
{
    const struct agent *agent = self;
    int64_t now_ms = clock_now_ms();

    for (size_t i = 0; i < agent->n_lines; i++) {
        int64_t still_ms = now_ms - line_moved_ms(agent->lines[i]);

        if (still_ms <= 2 * STUCK_MS)
            continue;
        snprintf(why, size, "nothing has moved on bus %s for %lld s",
                 line_settings(agent->lines[i])->url, (long long)still_ms / 1000);
        return false;
    }
    return true;
}
