#include "driver.h"

#include "clock.h"
#include "driver_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* These two come from gateways: the unit behind them did not answer (specification, section 7). */
#define EXCEPTION_NO_PATH 10
#define EXCEPTION_NO_ANSWER 11

static size_t count_groups(const struct bus_settings *settings)
{
    size_t n = 0;

    for (size_t i = 0; i < settings->n_units; i++)
        n += settings->units[i]->n_groups;
    return n;
}

static int add_group(struct driver *driver, size_t unit, size_t group)
{
    struct schedule *schedule = &driver->schedule;
    const struct unit_settings *settings = driver->settings->units[unit];
    struct round *round = &driver->rounds[schedule->n_groups];

    if (round_open(round, settings, group, &driver->holes[settings->breaker_of]) != 0)
        return -ENOMEM;
    round->unit = unit;
    schedule->groups[schedule->n_groups++] =
        (struct schedule_group){.unit = settings->breaker_of,
                                .period_ms = settings->groups[group].period_ms,
                                .n_requests = (unsigned)round->inquiry.plan.n_requests};
    return 0;
}

/* That a request may be of: what is learnt of a device can make it any length within the limits. */
static size_t most_cells(const struct driver *driver)
{
    size_t most = TABLE_REGISTERS_MAX;

    for (size_t i = 0; i < driver->schedule.n_groups; i++) {
        const struct plan *plan = &driver->rounds[i].inquiry.plan;

        for (size_t j = 0; j < plan->n_requests; j++)
            if (table_is_bits(plan->requests[j].span.table))
                most = TABLE_BITS_MAX;
    }
    return most;
}

static int fill_schedule(struct driver *driver, const struct holes *known)
{
    const struct bus_settings *settings = driver->settings;
    struct schedule *schedule = &driver->schedule;
    int rc = 0;

    for (size_t i = 0; i < settings->n_units; i++) {
        const struct unit_settings *unit = settings->units[i];

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
    driver->cells = calloc(most_cells(driver), sizeof *driver->cells);
    return driver->cells ? 0 : -ENOMEM;
}

int driver_open(struct driver **out, const struct driver_options *options)
{
    const struct bus_settings *settings = options->settings;
    struct driver *driver = calloc(1, sizeof *driver);
    size_t n_groups = count_groups(settings);

    if (!driver)
        return -ENOMEM;
    driver->settings = settings;
    driver->answers = options->answers;
    driver->paces = options->paces;
    driver->owner = options->owner;
    tally_open(&driver->tally, options->health);
    driver->schedule.units = calloc(settings->n_units + 1, sizeof *driver->schedule.units);
    driver->schedule.groups = calloc(n_groups + 1, sizeof *driver->schedule.groups);
    driver->rounds = calloc(n_groups + 1, sizeof *driver->rounds);
    driver->holes = calloc(settings->n_units + 1, sizeof *driver->holes);
    if (!driver->schedule.units || !driver->schedule.groups || !driver->rounds || !driver->holes ||
        connection_open(&driver->connection, settings, &driver->tally) != 0 ||
        fill_schedule(driver, options->known) != 0) {
        driver_close(driver);
        return -ENOMEM;
    }
    *out = driver;
    return 0;
}

void driver_close(struct driver *driver)
{
    if (!driver)
        return;
    for (size_t i = 0; i < driver->schedule.n_groups; i++)
        round_close(&driver->rounds[i]);
    for (size_t i = 0; driver->holes && i < driver->settings->n_units; i++)
        holes_free(&driver->holes[i]);
    free(driver->holes);
    free(driver->cells);
    connection_close(&driver->connection);
    free(driver->rounds);
    free(driver->schedule.groups);
    free(driver->schedule.units);
    free(driver);
}

/* Readings may be dropped where the loop does not keep up; the link's and the writes' ends may not:
 * of the first there is one at each attempt to connect, of the second one for each command. */
bool driver_tell(struct driver *driver, struct answer *answer)
{
    int rc = -ENOMEM;

    if (answer) {
        answer->owner = driver->owner;
        rc = answer->kind == ANSWER_ROUND ? inbox_try_put(driver->answers, &answer->item)
                                          : inbox_force(driver->answers, &answer->item);
    }
    if (rc == 0)
        return true;
    health_raise(driver->tally.dropped, 1);
    free(answer);
    return false;
}

/* Tried again at the next step where there is no memory: what was said last of the link stands
 * until the next change, and no device is online or offline against it. */
static void send_link(struct driver *driver)
{
    struct answer *answer = answer_new(ANSWER_LINK, 0, 0);

    if (answer) {
        answer->result = driver->link_result;
        answer->time_ms = clock_time_ms();
        snprintf(answer->text, sizeof answer->text, "%s", driver->link_text);
    }
    driver->link_untold = !driver_tell(driver, answer);
}

static void tell_link(struct driver *driver, int result, const char *text)
{
    driver->link_result = result;
    snprintf(driver->link_text, sizeof driver->link_text, "%s", text);
    send_link(driver);
}

struct schedule_unit *driver_scheduled(struct driver *driver, size_t unit)
{
    return &driver->schedule.units[driver->settings->units[unit]->breaker_of];
}

static void tell_holes(struct driver *driver, size_t unit)
{
    size_t first = driver->settings->units[unit]->breaker_of;
    struct answer *answer = answer_new_holes(&driver->holes[first]);

    if (answer) {
        answer->unit = first;
        answer->breaker = driver_scheduled(driver, unit)->breaker.state;
        answer->time_ms = clock_time_ms();
    }
    driver_tell(driver, answer);
}

static void finish_round(struct driver *driver, struct round *round)
{
    struct schedule_group *group = &driver->schedule.groups[round - driver->rounds];
    enum breaker_state breaker = driver_scheduled(driver, round->unit)->breaker.state;
    bool is_news;
    struct answer *answer = round_end(round, breaker, &is_news);

    /* Its release has moved on to the end of its period. */
    pace_end_round(&driver->paces[round - driver->rounds], group->release_ms - clock_now_ms());
    if (!is_news)
        health_raise(driver->tally.unchanged, 1);
    if (answer && !driver_tell(driver, answer))
        news_forget(&round->news); /* it counts as told otherwise */
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

        if (!round->begun || (unit && driver->schedule.groups[i].unit != *unit))
            continue;
        schedule_abandon(&driver->schedule, i);
        finish_round(driver, round);
    }
}

void driver_renew(struct driver *driver)
{
    for (size_t i = 0; i < driver->schedule.n_groups; i++)
        news_forget(&driver->rounds[i].news);
}

static void dial_bus(struct driver *driver)
{
    char error[ANSWER_TEXT_SIZE] = "";
    int rc = connection_dial(&driver->connection, error, sizeof error);

    if (rc == 0) {
        schedule_resume(&driver->schedule, clock_now_ms());
        driver_renew(driver); /* that a device is there again is news */
    }
    tell_link(driver, rc, rc == 0 ? bus_about(driver->connection.bus) : error);
}

static void lose_link(struct driver *driver, int result)
{
    cut_rounds(driver, NULL);
    connection_lose(&driver->connection);
    tell_link(driver, result, strerror(-result));
}

void driver_conclude(struct driver *driver, size_t unit, int result)
{
    bool alive = result >= 0 && result != EXCEPTION_NO_PATH && result != EXCEPTION_NO_ANSWER;
    int64_t hold_ms = driver->settings->endpoint.serial ? driver->settings->timeout_ms : 0;
    size_t first = driver->settings->units[unit]->breaker_of;

    tally_result(&driver->tally, result);
    if (bus_link_lost(result)) {
        lose_link(driver, result);
        return;
    }
    connection_works(&driver->connection);
    schedule_report(&driver->schedule, first, alive, clock_now_ms(), hold_ms);
    if (driver_scheduled(driver, unit)->breaker.state != BREAKER_CLOSED)
        cut_rounds(driver, &first);
}

static void read_next(struct driver *driver, const struct schedule_pick *pick)
{
    struct round *round = &driver->rounds[pick->group];
    const struct plan *plan = &round->inquiry.plan;
    unsigned unit = driver->settings->units[round->unit]->unit;
    uint16_t *cells = driver->cells;
    bool cut;
    int result;

    if (round_begin(round, driver->writes) != 0) {
        health_raise(driver->tally.dropped, 1);
        schedule_abandon(&driver->schedule, pick->group);
        return;
    }
    result = connection_read(&driver->connection, unit, &plan->requests[pick->request].span, cells);
    cut = round_take(round, pick->request, result, cells);
    if (cut)
        schedule_again(&driver->schedule, pick->group, (unsigned)plan->n_requests);
    driver_conclude(driver, round->unit, result);
    if (!cut && round->begun && pick->request + 1 == plan->n_requests)
        finish_round(driver, round);
}

static void count_periods(struct driver *driver)
{
    const struct schedule *schedule = &driver->schedule;

    if (schedule->missed == driver->missed_seen && schedule->skipped == driver->skipped_seen)
        return;
    tally_total(driver->tally.missed_periods, schedule->missed, &driver->missed_seen);
    tally_total(driver->tally.skipped_periods, schedule->skipped, &driver->skipped_seen);
    for (size_t i = 0; i < schedule->n_groups; i++)
        pace_count(&driver->paces[i], &schedule->groups[i]);
}

int64_t driver_step(struct driver *driver, int64_t now_ms)
{
    struct schedule_pick pick;

    if (driver->link_untold)
        send_link(driver);
    if (!driver->connection.up) {
        if (now_ms < driver->connection.retry_ms)
            return driver->connection.retry_ms;
        dial_bus(driver);
        return now_ms;
    }
    if (!schedule_next(&driver->schedule, now_ms, &pick))
        return schedule_wake_ms(&driver->schedule, now_ms);
    read_next(driver, &pick);
    tally_total(driver->tally.late_replies, bus_late_replies(driver->connection.bus),
                &driver->late_seen);
    count_periods(driver);
    return now_ms;
}
