#include "driver.h"

#include "clock.h"
#include "driver_state.h"

#include <errno.h>
#include <string.h>
#include <time.h>

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

    wait_out(driver_scheduled(driver, unit)->held_ms);
    health_raise(driver->tally.writes, 1);
    result =
        connection_write(&driver->connection, driver->settings->units[unit]->unit, span, cells);
    driver_conclude(driver, unit, result);
    return result;
}

/* What the device holds is the truth, whether or not it answered the write. */
static int read_back(struct driver *driver, struct answer *answer, const struct span *span)
{
    int result;

    wait_out(driver_scheduled(driver, answer->unit)->held_ms);
    result = connection_read(&driver->connection, driver->settings->units[answer->unit]->unit, span,
                             answer->cells);
    driver_conclude(driver, answer->unit, result);
    answer->has_cells = result == 0;
    return result;
}

static bool may_ask(struct driver *driver, size_t unit)
{
    return !driver->stopped && driver->connection.up &&
           breaker_allow(&driver_scheduled(driver, unit)->breaker, clock_now_ms());
}

static int write_cells(struct driver *driver, struct answer *answer, const uint16_t *cells)
{
    const struct span *span = &driver->settings->units[answer->unit]->outputs[answer->index].span;
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

static void end_write(struct driver *driver, struct answer *answer)
{
    answer->breaker = driver_scheduled(driver, answer->unit)->breaker.state;
    answer->time_ms = clock_time_ms();
    driver_tell(driver, answer);
}

/* Writes to units that are silent may have been ahead of it. */
static bool is_too_late(struct driver *driver, const struct write_order *order)
{
    wait_out(driver_scheduled(driver, order->unit)->held_ms);
    return clock_now_ms() >= order->expires_ms;
}

void driver_write(struct driver *driver, const struct write_order *order, struct answer *answer)
{
    answer->writes = ++driver->writes;
    if (is_too_late(driver, order))
        answer->result = WRITE_EXPIRED;
    else if (may_ask(driver, order->unit))
        answer->result = write_cells(driver, answer, order->cells);
    end_write(driver, answer);
}

void driver_feed(struct driver *driver, uint16_t cell, struct answer *answer)
{
    const struct span *span = &driver->settings->units[answer->unit]->feed.span;

    if (may_ask(driver, answer->unit))
        answer->result = write_once(driver, answer->unit, span, &cell);
    end_write(driver, answer);
}

void driver_stop(struct driver *driver)
{
    driver->stopped = true;
}
