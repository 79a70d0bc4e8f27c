#include "tally.h"

#include <errno.h>

void tally_open(struct tally *out, struct health *health)
{
    *out = (struct tally){
        .requests = health_count(health, "requests"),
        .answers = health_count(health, "answers"),
        .exceptions = health_count(health, "exceptions"),
        .timeouts = health_count(health, "timeouts"),
        .bad_answers = health_count(health, "bad_answers"),
        .late_replies = health_count(health, "late_replies"),
        .missed_periods = health_count(health, "missed_periods"),
        .skipped_periods = health_count(health, "skipped_periods"),
        .connects = health_count(health, "bus_connects"),
        .connect_failures = health_count(health, "bus_connect_failures"),
        .losses = health_count(health, "bus_losses"),
        .writes = health_count(health, "writes"),
        .unchanged = health_count(health, "readings_unchanged"),
        .dropped = health_count(health, "dropped.answers"),
    };
}

void tally_result(const struct tally *tally, int result)
{
    health_raise(tally->requests, 1);
    if (result == 0)
        health_raise(tally->answers, 1);
    else if (result > 0)
        health_raise(tally->exceptions, 1);
    else if (result == -ETIMEDOUT)
        health_raise(tally->timeouts, 1);
    else if (result == -EBADMSG)
        health_raise(tally->bad_answers, 1);
}

void tally_total(health_counter *counter, uint64_t total, uint64_t *seen)
{
    if (total != *seen)
        health_raise(counter, total - *seen);
    *seen = total;
}
