#include "driver.h"

#include "backoff.h"
#include "bus.h"
#include "clock.h"
#include "draw.h"
#include "inquiry.h"
#include "schedule.h"
#include "tally.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* These two come from gateways: the unit behind them did not answer (specification, section 7). */
#define EXCEPTION_NO_PATH 10
#define EXCEPTION_NO_ANSWER 11

/* A group of one of the devices, beside the schedule's entry of the same index. The schedule knows
 * a unit by its first device (breaker_of). */
struct round {
    size_t unit; /* index in the bus's settings */
    size_t group;
    struct answer *answer; /* owned; of the round that has begun, else NULL */
    struct inquiry inquiry;
};

struct driver {
    const struct bus_settings *settings; /* borrowed */
    struct inbox *answers;               /* borrowed */
    struct tally tally;
    struct bus *bus;
    bool up;
    struct backoff backoff;
    int64_t retry_ms;
    struct schedule schedule;
    struct round *rounds;
    struct holes *holes; /* owned; of each unit, where it is the first of its address */
    uint64_t
        writes; /* sent so far, to tell what was read before a write from what was read after */
    uint64_t late_seen, missed_seen, skipped_seen; /* as far as they are counted */
};

static size_t count_groups(const struct bus_settings *settings)
{
    size_t n = 0;

    for (size_t i = 0; i < settings->n_units; i++)
        n += settings->units[i].n_groups;
    return n;
}

static int add_group(struct driver *driver, size_t unit, size_t group)
{
    struct schedule *schedule = &driver->schedule;
    const struct unit_settings *settings = &driver->settings->units[unit];
    struct round *round = &driver->rounds[schedule->n_groups];

    *round = (struct round){.unit = unit, .group = group};
    if (inquiry_open(&round->inquiry, &settings->groups[group],
                     &driver->holes[settings->breaker_of]) != 0)
        return -ENOMEM;
    schedule->groups[schedule->n_groups++] =
        (struct schedule_group){.unit = settings->breaker_of,
                                .period_ms = settings->groups[group].period_ms,
                                .n_requests = (unsigned)round->inquiry.plan.n_requests};
    return 0;
}

static int fill_schedule(struct driver *driver, const struct holes *known)
{
    const struct bus_settings *settings = driver->settings;
    struct schedule *schedule = &driver->schedule;
    int rc = 0;

    for (size_t i = 0; i < settings->n_units; i++) {
        const struct unit_settings *unit = &settings->units[i];

        breaker_init(&schedule->units[schedule->n_units++].breaker, unit->breaker_failures,
                     unit->breaker_open_ms);
        if (unit->breaker_of == i)
            rc = holes_copy(&driver->holes[i], &known[i]);
        for (size_t j = 0; j < unit->n_groups && rc == 0; j++)
            rc = add_group(driver, i, j);
        if (rc != 0)
            return rc;
    }
    schedule_start(schedule, clock_now_ms());
    return 0;
}

int driver_open(struct driver **out, const struct bus_settings *settings, const struct holes *known,
                struct health *health, struct inbox *answers)
{
    struct driver *driver = calloc(1, sizeof *driver);
    struct bus_options options = {.endpoint = &settings->endpoint,
                                  .timeout_ms = settings->timeout_ms,
                                  .connect_timeout_ms = settings->connect_timeout_ms};
    size_t n_groups = count_groups(settings);

    if (!driver)
        return -ENOMEM;
    driver->settings = settings;
    driver->answers = answers;
    driver->backoff.first_ms = settings->backoff_first_ms;
    driver->backoff.max_ms = settings->backoff_max_ms;
    driver->schedule.units = calloc(settings->n_units + 1, sizeof *driver->schedule.units);
    driver->schedule.groups = calloc(n_groups + 1, sizeof *driver->schedule.groups);
    driver->rounds = calloc(n_groups + 1, sizeof *driver->rounds);
    driver->holes = calloc(settings->n_units + 1, sizeof *driver->holes);
    if (!driver->schedule.units || !driver->schedule.groups || !driver->rounds || !driver->holes ||
        bus_open(&driver->bus, &options) != 0 || fill_schedule(driver, known) != 0) {
        driver_close(driver);
        return -ENOMEM;
    }
    tally_open(&driver->tally, health);
    *out = driver;
    return 0;
}

void driver_close(struct driver *driver)
{
    if (!driver)
        return;
    for (size_t i = 0; i < driver->schedule.n_groups; i++) {
        free(driver->rounds[i].answer);
        inquiry_close(&driver->rounds[i].inquiry);
    }
    for (size_t i = 0; driver->holes && i < driver->settings->n_units; i++)
        holes_free(&driver->holes[i]);
    free(driver->holes);
    bus_close(driver->bus);
    free(driver->rounds);
    free(driver->schedule.groups);
    free(driver->schedule.units);
    free(driver);
}

/* Readings may be dropped where the loop does not keep up; the link's and the writes' ends may not:
 * of the first there is one at each attempt to connect, of the second one for each command. */
static void tell(struct driver *driver, struct answer *answer)
{
    int rc = answer->kind == ANSWER_ROUND ? inbox_try_put(driver->answers, &answer->item)
                                          : inbox_force(driver->answers, &answer->item);

    if (rc == 0)
        return;
    health_raise(driver->tally.dropped, 1);
    free(answer);
}

static void tell_link(struct driver *driver, int result, const char *text)
{
    struct answer *answer = answer_new(ANSWER_LINK, 0, 0);

    if (!answer) {
        health_raise(driver->tally.dropped, 1);
        return;
    }
    answer->result = result;
    answer->time_ms = clock_time_ms();
    snprintf(answer->text, sizeof answer->text, "%s", text);
    tell(driver, answer);
}

static struct schedule_unit *scheduled(struct driver *driver, size_t unit)
{
    return &driver->schedule.units[driver->settings->units[unit].breaker_of];
}

static void tell_holes(struct driver *driver, size_t unit)
{
    size_t first = driver->settings->units[unit].breaker_of;
    struct answer *answer = answer_new_holes(&driver->holes[first]);

    if (!answer) {
        health_raise(driver->tally.dropped, 1);
        return;
    }
    answer->unit = first;
    answer->breaker = scheduled(driver, unit)->breaker.state;
    answer->time_ms = clock_time_ms();
    tell(driver, answer);
}

static void finish_round(struct driver *driver, struct round *round)
{
    struct schedule_group *group = &driver->schedule.groups[round - driver->rounds];
    struct answer *answer = round->answer;

    round->answer = NULL;
    answer->breaker = scheduled(driver, round->unit)->breaker.state;
    tell(driver, answer);
    if (inquiry_end(&round->inquiry))
        tell_holes(driver, round->unit);
    group->n_requests = (unsigned)round->inquiry.plan.n_requests;
}

/* Ends the rounds that have begun and can go no further: of one of the schedule's units, or of all
 * (NULL). */
static void cut_rounds(struct driver *driver, const size_t *unit)
{
    for (size_t i = 0; i < driver->schedule.n_groups; i++) {
        struct round *round = &driver->rounds[i];

        if (!round->answer || (unit && driver->schedule.groups[i].unit != *unit))
            continue;
        schedule_abandon(&driver->schedule, i);
        finish_round(driver, round);
    }
}

static void retry_later(struct driver *driver)
{
    driver->up = false;
    driver->retry_ms = clock_now_ms() + backoff_next(&driver->backoff, draw(), 0);
}

static void connect_bus(struct driver *driver)
{
    char error[ANSWER_TEXT_SIZE];
    int rc = bus_connect(driver->bus, error, sizeof error);

    if (rc != 0) {
        health_raise(driver->tally.connect_failures, 1);
        retry_later(driver);
        tell_link(driver, rc, error);
        return;
    }
    driver->up = true;
    health_raise(driver->tally.connects, 1);
    schedule_resume(&driver->schedule, clock_now_ms());
    tell_link(driver, 0, "");
}

static void lose_link(struct driver *driver, int result)
{
    health_raise(driver->tally.losses, 1);
    cut_rounds(driver, NULL);
    bus_disconnect(driver->bus);
    retry_later(driver);
    tell_link(driver, result, strerror(-result));
}

/* What the end of any request means for the link, the unit and the counters. */
static void conclude(struct driver *driver, size_t unit, int result)
{
    bool alive = result >= 0 && result != EXCEPTION_NO_PATH && result != EXCEPTION_NO_ANSWER;
    int64_t hold_ms = driver->settings->endpoint.serial ? driver->settings->timeout_ms : 0;
    size_t first = driver->settings->units[unit].breaker_of;

    tally_result(&driver->tally, result);
    if (bus_link_lost(result)) {
        lose_link(driver, result);
        return;
    }
    /* Only now: a peer that takes connections and hangs up would else be dialled without a pause.
     */
    backoff_reset(&driver->backoff);
    schedule_report(&driver->schedule, first, alive, clock_now_ms(), hold_ms);
    if (scheduled(driver, unit)->breaker.state != BREAKER_CLOSED)
        cut_rounds(driver, &first);
}

/* A new answer, in which everything is a time-out until it has been read. */
static struct answer *begin_round(const struct driver *driver, const struct round *round,
                                  const struct group_settings *group)
{
    struct answer *answer = answer_new(ANSWER_ROUND, group->n_points, group->n_cells);

    if (!answer)
        return NULL;
    answer->unit = round->unit;
    answer->index = round->group;
    answer->writes = driver->writes;
    answer->time_ms = clock_time_ms();
    for (size_t i = 0; i < group->n_points; i++)
        answer->results[i] = -ETIMEDOUT;
    return answer;
}

/* After a request found that the other side had hung up. Returns 0 or -errno. */
static int reopen(struct driver *driver)
{
    char error[ANSWER_TEXT_SIZE];
    int rc = bus_connect(driver->bus, error, sizeof error);

    health_raise(rc == 0 ? driver->tally.connects : driver->tally.connect_failures, 1);
    return rc;
}

static int ask(struct driver *driver, unsigned unit, const struct span *span, uint16_t *cells)
{
    int result = bus_read(driver->bus, unit, span, cells);

    if (result != -ESTALE)
        return result;
    result = reopen(driver);
    return result == 0 ? bus_read(driver->bus, unit, span, cells) : result;
}

static int order(struct driver *driver, unsigned unit, const struct span *span,
                 const uint16_t *cells)
{
    int result = bus_write(driver->bus, unit, span, cells);

    if (result != -ESTALE)
        return result;
    result = reopen(driver);
    return result == 0 ? bus_write(driver->bus, unit, span, cells) : result;
}

static void read_next(struct driver *driver, const struct schedule_pick *pick)
{
    struct round *round = &driver->rounds[pick->group];
    const struct unit_settings *unit = &driver->settings->units[round->unit];
    struct inquiry *inquiry = &round->inquiry;
    uint16_t cells[TABLE_BITS_MAX];
    bool cut;
    int result;

    if (!round->answer)
        round->answer = begin_round(driver, round, inquiry->group);
    if (!round->answer) {
        health_raise(driver->tally.dropped, 1);
        schedule_abandon(&driver->schedule, pick->group);
        return;
    }
    result = ask(driver, unit->unit, &inquiry->plan.requests[pick->request].span, cells);
    cut = inquiry_take(inquiry, pick->request, result, cells, round->answer->results,
                       round->answer->cells);
    if (cut)
        schedule_again(&driver->schedule, pick->group, (unsigned)inquiry->plan.n_requests);
    round->answer->time_ms = clock_time_ms();
    conclude(driver, round->unit, result);
    if (!cut && round->answer && pick->request + 1 == inquiry->plan.n_requests)
        finish_round(driver, round);
}

/* On a serial line nothing is asked of a unit that was silent until its late answer would be over.
 */
static void wait_out(int64_t until_ms)
{
    struct timespec end = {until_ms / 1000, until_ms % 1000 * 1000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR) {
    }
}

/* One write, once: whether one that got no answer was carried out nobody knows, and done again it
 * might act twice. */
static int write_once(struct driver *driver, size_t unit, const struct span *span,
                      const uint16_t *cells)
{
    int result;

    wait_out(scheduled(driver, unit)->held_ms);
    health_raise(driver->tally.writes, 1);
    result = order(driver, driver->settings->units[unit].unit, span, cells);
    conclude(driver, unit, result);
    return result;
}

/* What the device holds is the truth, whether or not it answered the write. */
static int read_back(struct driver *driver, struct answer *answer, const struct span *span)
{
    int result;

    wait_out(scheduled(driver, answer->unit)->held_ms);
    result = ask(driver, driver->settings->units[answer->unit].unit, span, answer->cells);
    conclude(driver, answer->unit, result);
    answer->has_cells = result == 0;
    return result;
}

static bool may_ask(struct driver *driver, size_t unit)
{
    return driver->up && breaker_allow(&scheduled(driver, unit)->breaker, clock_now_ms());
}

static int write_cells(struct driver *driver, struct answer *answer, const uint16_t *cells)
{
    const struct span *span = &driver->settings->units[answer->unit].outputs[answer->index].span;
    int written = write_once(driver, answer->unit, span, cells);
    int read;

    answer->unanswered = written == -ETIMEDOUT || written == -EBADMSG;
    if (written != 0 && !(answer->unanswered && may_ask(driver, answer->unit)))
        return written;
    read = read_back(driver, answer, span);
    if (read != 0)
        return written != 0 ? written : read;
    if (memcmp(answer->cells, cells, span->count * sizeof *cells) == 0)
        return 0;
    return written != 0 ? written : WRITE_DIFFERENT;
}

/* NULL where there is no memory. */
static struct answer *begin_write(struct driver *driver, enum answer_kind kind, size_t unit)
{
    struct answer *answer = answer_new(kind, 0, OUTPUT_CELLS_MAX);

    if (!answer) {
        health_raise(driver->tally.dropped, 1);
        return NULL;
    }
    answer->unit = unit;
    answer->result = WRITE_REFUSED;
    return answer;
}

static void end_write(struct driver *driver, struct answer *answer)
{
    answer->breaker = scheduled(driver, answer->unit)->breaker.state;
    answer->time_ms = clock_time_ms();
    tell(driver, answer);
}

void driver_write(struct driver *driver, size_t unit, size_t actuator, const uint16_t *cells)
{
    struct answer *answer = begin_write(driver, ANSWER_WRITE, unit);

    if (!answer)
        return;
    answer->index = actuator;
    answer->writes = ++driver->writes;
    if (may_ask(driver, unit))
        answer->result = write_cells(driver, answer, cells);
    end_write(driver, answer);
}

void driver_feed(struct driver *driver, size_t unit, uint16_t cell)
{
    struct answer *answer = begin_write(driver, ANSWER_FEED, unit);

    if (!answer)
        return;
    if (may_ask(driver, unit))
        answer->result = write_once(driver, unit, &driver->settings->units[unit].feed.span, &cell);
    end_write(driver, answer);
}

int64_t driver_step(struct driver *driver, int64_t now_ms)
{
    struct schedule_pick pick;

    if (!driver->up) {
        if (now_ms < driver->retry_ms)
            return driver->retry_ms;
        connect_bus(driver);
        return now_ms;
    }
    if (!schedule_next(&driver->schedule, now_ms, &pick))
        return schedule_wake_ms(&driver->schedule, now_ms);
    read_next(driver, &pick);
    tally_total(driver->tally.late_replies, bus_late_replies(driver->bus), &driver->late_seen);
    tally_total(driver->tally.missed_periods, driver->schedule.missed, &driver->missed_seen);
    tally_total(driver->tally.skipped_periods, driver->schedule.skipped, &driver->skipped_seen);
    return now_ms;
}
