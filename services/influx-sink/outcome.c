#include "outcome.h"

#include <string.h>

/* NULL where that is no telemetry, or the ledger has no room for its series. */
static uint32_t *find(struct outcome *outcome, const struct topic *topic)
{
    const struct account_series *series = topic->kind == TOPIC_TELEMETRY && topic->name[0]
                                              ? account_find(outcome->account, topic)
                                              : NULL;

    return series ? outcome->n[series - outcome->account->series] : NULL;
}

bool outcome_wants(const struct outcome *outcome, uint64_t record)
{
    return outcome->account && !account_has_settled(outcome->account, record);
}

void outcome_take(struct outcome *outcome, const struct topic *topic, size_t n_readings,
                  size_t n_dead)
{
    uint32_t *n = outcome->account && n_readings > 0 ? find(outcome, topic) : NULL;

    if (!n)
        return;
    n[ACCOUNT_STORED] += (uint32_t)(n_readings - n_dead);
    n[ACCOUNT_DEAD] += (uint32_t)n_dead;
}

static bool parse_topic(const struct outcome *outcome, const struct message *message,
                        struct topic *out)
{
    char text[TOPIC_SIZE];

    if (message->topic_length >= sizeof(text))
        return false;
    memcpy(text, message->topic, message->topic_length);
    text[message->topic_length] = '\0';
    return topic_parse(out, outcome->root, text) == 0;
}

void outcome_bury(struct outcome *outcome, const struct message *message, uint64_t record)
{
    struct topic topic;
    uint32_t *n = NULL;

    if (outcome_wants(outcome, record) && parse_topic(outcome, message, &topic))
        n = find(outcome, &topic);
    if (!n || n[ACCOUNT_STORED] == 0)
        return;
    n[ACCOUNT_STORED]--;
    n[ACCOUNT_DEAD]++;
}

void outcome_settle(struct outcome *outcome, uint64_t from, uint64_t to)
{
    if (outcome->account)
        account_settle(outcome->account, outcome->n, from, to);
    outcome_clear(outcome);
}

void outcome_clear(struct outcome *outcome)
{
    memset(outcome->n, 0, sizeof(outcome->n));
}
