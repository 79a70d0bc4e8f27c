#include "courier.h"

#include "conflict.h"
#include "draw.h"
#include "log.h"

#include <stdio.h>

static void office_show(struct office *office, enum deliver_verdict verdict,
                        const struct target_answer *answer)
{
    bool away = verdict == DELIVER_AWAY, held = verdict == DELIVER_HELD;
    bool was_held = atomic_exchange(&office->held, held);
    bool was_away = atomic_exchange(&office->away, away);
    const struct target_settings *target = office->settings;
    char text[560];

    atomic_store(&office->breaker, (int)office->deliver.breaker.state);
    if ((was_away || was_held) && !away && !held)
        log_info("store_back", "target=%s url=%s", target->name, target->url);
    if ((!away || was_away) && (!held || was_held))
        return;
    snprintf(text, sizeof(text), "store %s %s: status %d, %s", target->name,
             held ? "takes nothing from us" : "away", answer->result.status, answer->words);
    log_warning(held ? "store_holds" : "store_away", "target=%s url=%s status=%d reason=\"%s\"",
                target->name, target->url, answer->result.status, answer->words);
    report_error(office->burial->report, text);
}

static void bury(struct courier *courier, struct office *office, enum deliver_verdict verdict,
                 size_t from, const struct target_answer *answer)
{
    const char *reason = verdict == DELIVER_REFUSED     ? "refused"
                         : verdict == DELIVER_TOO_LARGE ? "too_large"
                                                        : "partly_refused";
    size_t n = courier->delivery.to - from;
    struct message message;
    uint64_t record;
    char detail[560];

    if (!batch_find(&courier->batch, from, &message, &record))
        return;
    if (verdict == DELIVER_REST_STORED && n > 1)
        snprintf(
            detail, sizeof(detail),
            "of %zu points from here on the store keeps those it can and refuses the others: %s", n,
            answer->words);
    else
        snprintf(detail, sizeof(detail), "status %d: %s", answer->result.status, answer->words);
    burial_add(office->burial, &message, reason, detail);
    outcome_bury(&courier->batch.outcome, &message, record);
}

/* The store says that a field of ours is of another type. Where the batch was encoded without that
 * knowledge, and nothing of it has an end yet, all of it is encoded anew. */
static bool learn(struct courier *courier, struct office *office, size_t from,
                  const struct target_answer *answer)
{
    int status = answer->result.status;

    if (status != 400 && status != 422)
        return false;
    if (conflict_learn(office->feed->loader.encoder.types, answer->words))
        office->lessons++;
    if (courier->lessons == office->lessons || from > 0 || courier->batch.n_buried > 0)
        return false;
    courier->lessons = office->lessons;
    return true;
}

void courier_begin(struct courier *courier)
{
    courier->state = COURIER_HAS;
    delivery_begin(&courier->delivery, courier->batch.lines.n);
}

static void load_again(struct courier *courier, struct office *office)
{
    int error;

    while ((error = feed_take_again(office->feed, &courier->batch)) != 0)
        if (!burial_trouble(office->burial, "spool", error))
            return;
    courier_begin(courier);
}

static void take_answer(struct courier *courier, struct office *office,
                        const struct target_answer *answer, int64_t now_ms)
{
    size_t from = courier->delivery.from, to = courier->delivery.to;
    enum deliver_verdict verdict =
        deliver_take(&office->deliver, &courier->delivery, &answer->result, draw(), now_ms);

    health_raise(office->posts, 1);
    office_show(office, verdict, answer);
    if (learn(courier, office, from, answer)) {
        load_again(courier, office);
        return;
    }
    if (verdict == DELIVER_STORED)
        health_raise(office->stored, to - from);
    if (verdict == DELIVER_REFUSED || verdict == DELIVER_TOO_LARGE ||
        verdict == DELIVER_REST_STORED)
        bury(courier, office, verdict, from, answer);
}

static bool go_on(struct courier *courier, struct office *office, int64_t now_ms, int64_t *at_ms)
{
    struct deliver_next next = deliver_next(&office->deliver, &courier->delivery, now_ms);
    const char *text;
    size_t size;

    switch (next.step) {
    case DELIVER_DONE:
        courier->state = COURIER_FREE;
        return true;
    case DELIVER_POST:
        text = lines_range(&courier->batch.lines, next.from, next.to, &size);
        target_post(office->target, courier->slot, text, size);
        courier->state = COURIER_IS_AWAY;
        return true;
    case DELIVER_WAIT:
        break;
    }
    if (*at_ms > next.at_ms)
        *at_ms = next.at_ms;
    return false;
}

bool courier_work(struct courier *courier, struct office *office, int64_t now_ms, int64_t *at_ms)
{
    struct target_answer answer;

    if (courier->state == COURIER_HAS)
        return go_on(courier, office, now_ms, at_ms);
    if (courier->state == COURIER_FREE || !target_answered(office->target, courier->slot, &answer))
        return false;
    courier->state = COURIER_HAS;
    take_answer(courier, office, &answer, now_ms);
    return true;
}
