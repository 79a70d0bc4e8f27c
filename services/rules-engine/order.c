#include "order.h"
#include "decide.h"
#include "duty.h"
#include "hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct order {
    struct agenda_item due; /* first: the agenda gives this back */
    struct order *next;     /* of the same bucket */
    struct order *sibling;  /* of the same instance */
    struct instance *instance;
    const struct action *action;
    struct value value; /* owned */
    int64_t edge_ms;
    uint64_t episode;
    unsigned index;
    unsigned n_given; /* how often it was sent */
    unsigned n_ids;   /* how many different ids it has had */
    bool resting;     /* answered; waits before it is given again */
    char id[COMMAND_ID_SIZE];
};

static struct order **bucket(struct orders *orders, const char *id)
{
    return &orders->buckets[hash_text(HASH_START, id) % ORDER_BUCKETS];
}

static void make_id(struct order *order)
{
    const struct picture_device *device = order->instance->selected->device;
    uint64_t hash = hash_text(HASH_START, device->location);
    hash = hash_text(hash_text(hash, device->name), order->instance->scope->name);
    char again[16] = "";
    if (order->n_ids > 1)
        snprintf(again, sizeof(again), "-%u", order->n_ids);
    bool on = rule_is_active(&order->instance->state);
    snprintf(order->id, sizeof(order->id), "%08" PRIx32 "-%" PRId64 "-%" PRIu64 "%s%u%s",
             (uint32_t)(hash ^ hash >> 32), order->edge_ms, order->episode, on ? "t" : "e",
             order->index, again);
}

static void link_id(struct orders *orders, struct order *order)
{
    struct order **head = bucket(orders, order->id);
    order->next = *head;
    *head = order;
}

static void unlink_id(struct orders *orders, struct order *order)
{
    struct order **at = bucket(orders, order->id);
    while (*at != order)
        at = &(*at)->next;
    *at = order->next;
}

static void drop(struct orders *orders, struct order *order)
{
    struct order **at = &order->instance->duty->orders;
    while (*at != order)
        at = &(*at)->sibling;
    *at = order->sibling;
    unlink_id(orders, order);
    agenda_remove(&orders->agenda, &order->due);
    orders->n--;
    value_free(&order->value);
    free(order);
}

void orders_free(struct orders *orders)
{
    for (size_t i = 0; i < ORDER_BUCKETS; i++)
        while (orders->buckets[i])
            drop(orders, orders->buckets[i]);
    agenda_free(&orders->agenda);
}

int64_t orders_next_ms(const struct orders *orders)
{
    const struct agenda_item *due = agenda_first(&orders->agenda);
    return due ? due->at_ms : RULE_NEVER;
}

static void send(struct engine *engine, const struct order *order)
{
    const struct action *action = order->action;
    const struct picture_device *own = order->instance->selected->device;
    struct engine_command command = {
        .place = {.location = action->location ? action->location : own->location,
                  .device = action->device ? action->device : own->name},
        .actuator = action->actuator,
        .rule = order->instance->scope->name,
        .id = order->id,
        .value = order->value,
        .ttl_ms = action->ttl_ms,
        .time_ms = engine->time_ms,
    };
    engine->stats.commands++;
    engine->handlers->on_command(engine->self, &command);
}

static void give(struct engine *engine, struct order *order)
{
    order->n_given++;
    order->resting = false;
    agenda_set(&engine->orders.agenda, &order->due,
               engine->time_ms + order->action->ttl_ms + ORDER_ANSWER_MS);
    send(engine, order);
}

/* What names its commands: the same again after a crash. */
static int64_t edge_ms(const struct instance *instance)
{
    if (instance->rule->control.kind != CONTROL_NONE)
        return instance->state.since_ms;
    return rule_is_active(&instance->state) ? instance->duty->fired_ms : instance->duty->cleared_ms;
}

void order_give(struct engine *engine, struct instance *instance, const struct action *action,
                unsigned index, struct value value)
{
    struct orders *orders = &engine->orders;
    struct order *order = calloc(1, sizeof(*order));
    if (!order || value_copy(&order->value, &value) < 0 ||
        agenda_reserve(&orders->agenda, orders->n + 1) < 0) {
        if (order)
            value_free(&order->value);
        free(order);
        engine->stats.no_memory++;
        return;
    }
    order->instance = instance;
    order->action = action;
    order->edge_ms = edge_ms(instance);
    order->episode = instance->state.episode;
    order->index = index;
    order->n_ids = 1;
    order->due.order = orders->given++;
    order->sibling = instance->duty->orders;
    instance->duty->orders = order;
    orders->n++;
    make_id(order);
    link_id(orders, order);
    if (instance->rule->control.kind == CONTROL_PID)
        decide_keep(engine, instance); /* no edge has told it */
    give(engine, order);
}

void orders_forget(struct engine *engine, struct instance *instance)
{
    while (instance->duty && instance->duty->orders)
        drop(&engine->orders, instance->duty->orders);
}

/* Nothing of the edge is owed any more: a restart need not give it again. */
static void settle(struct engine *engine, struct order *order)
{
    struct instance *instance = order->instance;
    drop(&engine->orders, order);
    if (!instance->duty->orders)
        decide_keep(engine, instance);
}

/* Tells the alert of a failed command as it stands. */
static void tell(struct engine *engine, struct instance *instance, const char *message)
{
    char name[TOPIC_NAME_SIZE + sizeof(SETTINGS_FAILED)];
    const struct picture_device *device = instance->selected->device;
    struct engine_place place = {device->location, device->name};
    snprintf(name, sizeof(name), "%s" SETTINGS_FAILED, instance->scope->name);
    struct alert alert = {
        .state = instance->duty->failed ? ALERT_FIRING : ALERT_RESOLVED,
        .severity = instance->rule->severity,
        .since_ms = engine->time_ms,
        .message = message,
        .rule = name,
        .episode = instance->duty->failed_episode,
    };
    decide_keep(engine, instance);
    engine->stats.alerts++;
    engine->handlers->on_alert(engine->self, &place, &alert);
}

static void fail(struct engine *engine, struct order *order, const char *reason)
{
    struct instance *instance = order->instance;
    char message[512];
    snprintf(message, sizeof(message), "%s: %s was not carried out: %s, tried %u times",
             instance->selected->device->name, order->action->actuator, reason, order->n_given);
    engine->stats.failed++;
    if (!instance->duty->failed) {
        instance->duty->failed = true;
        instance->duty->failed_episode++;
        tell(engine, instance, message);
    }
    settle(engine, order);
}

static void succeed(struct engine *engine, struct order *order)
{
    struct instance *instance = order->instance;
    char message[512];
    if (instance->duty->failed) {
        snprintf(message, sizeof(message), "%s: %s was carried out",
                 instance->selected->device->name, order->action->actuator);
        instance->duty->failed = false;
        tell(engine, instance, message);
    }
    settle(engine, order);
}

/* Whether giving a command again may help and cannot hurt, and how long to wait before it: -1 where
 * not. `n` is how often it was given already. Reasons: proto/README.md. What cannot end otherwise
 * (no such actuator, a bad value) is not asked twice. The rest is safe: a command sets a value, and
 * the agent's guards hold for each anew. */
static int64_t retry_ms(enum command_outcome outcome, const char *reason, unsigned n)
{
    static const struct {
        const char *reason;
        int64_t after_ms;
    } retried[] = {
        {"device_offline", 2000}, {"timeout", 1000},       {"verify_failed", 1000},
        {"duplicate", 1000},      {"rate_limited", 30000}, {"interlock", 30000},
        {"exception_5", 1000},    {"exception_6", 1000},   {"exception_10", 1000},
        {"exception_11", 1000},
    };
    unsigned doublings = n > 1 ? n - 1 : 0;
    int64_t after_ms = outcome == COMMAND_EXPIRED ? 1000 : -1;
    for (size_t i = 0; i < sizeof(retried) / sizeof(retried[0]); i++)
        if (reason && strcmp(reason, retried[i].reason) == 0)
            after_ms = retried[i].after_ms;
    if (after_ms < 0 || after_ms >= 30000)
        return after_ms;
    after_ms <<= doublings < 5 ? doublings : 5;
    return after_ms < 30000 ? after_ms : 30000;
}

static void rest(struct engine *engine, struct order *order, int64_t after_ms)
{
    engine->stats.retried++;
    order->resting = true;
    agenda_set(&engine->orders.agenda, &order->due, engine->time_ms + after_ms);
}

bool orders_answered(struct engine *engine, const char *id, enum command_outcome outcome,
                     const char *reason)
{
    struct order *order = *bucket(&engine->orders, id);
    while (order && strcmp(order->id, id) != 0)
        order = order->next;
    if (!order || order->resting)
        return order != NULL;
    int64_t after_ms = retry_ms(outcome, reason, order->n_given);
    if (outcome == COMMAND_OK || outcome == COMMAND_SUPERSEDED) {
        succeed(engine, order);
    } else if (after_ms >= 0 && order->n_given <= order->action->retries) {
        unlink_id(&engine->orders, order); /* under this id the agent would only say it again */
        order->n_ids++;
        make_id(order);
        link_id(&engine->orders, order);
        rest(engine, order, after_ms);
    } else {
        fail(engine, order, reason ? reason : command_outcome_name(outcome));
    }
    return true;
}

void orders_tick(struct engine *engine)
{
    while (orders_next_ms(&engine->orders) <= engine->time_ms) {
        struct order *order = (struct order *)agenda_first(&engine->orders.agenda);
        if (order->resting) {
            give(engine, order);
        } else if (engine->orders.unheard) {
            succeed(engine, order);
        } else if (order->n_given <= order->action->retries) {
            engine->stats.retried++;
            give(engine, order); /* under the same id, in case that only the answer was lost */
        } else {
            fail(engine, order, "no answer");
        }
    }
}
