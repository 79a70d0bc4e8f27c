#include "outcome.h"

#include <string.h>

/* NULL where the message is no telemetry, or the ledger has no room for its series. */
static uint32_t *find(struct outcome *outcome, const struct message *message)
{
    const struct account_series *series;
    char text[TOPIC_SIZE];
    struct topic topic;

    if (!outcome->account || message->topic_length >= sizeof(text))
        return NULL;
    memcpy(text, message->topic, message->topic_length);
    text[message->topic_length] = '\0';
    if (topic_parse(&topic, outcome->root, text) != 0 || topic.kind != TOPIC_TELEMETRY)
        return NULL;
    series = account_find(outcome->account, &topic);
    return series ? outcome->n[series - outcome->account->series] : NULL;
}

bool outcome_wants(const struct outcome *outcome, uint64_t record)
{
    return outcome->account && record >= account_settled(outcome->account);
}

void outcome_take(struct outcome *outcome, const struct message *message, size_t n_readings,
                  size_t n_dead)
{
    uint32_t *n = n_readings > 0 ? find(outcome, message) : NULL;

    if (!n)
        return;
    n[ACCOUNT_STORED] += (uint32_t)(n_readings - n_dead);
    n[ACCOUNT_DEAD] += (uint32_t)n_dead;
}

void outcome_bury(struct outcome *outcome, const struct message *message, size_t line)
{
    uint32_t *n = line >= outcome->first_line ? find(outcome, message) : NULL;

    if (!n || n[ACCOUNT_STORED] == 0)
        return;
    n[ACCOUNT_STORED]--;
    n[ACCOUNT_DEAD]++;
}

void outcome_merge(struct outcome *into, const struct outcome *from)
{
    for (size_t i = 0; from->account && i < ACCOUNT_SERIES_MAX; i++)
        for (size_t end = 0; end < ACCOUNT_ENDS; end++)
            into->n[i][end] += from->n[i][end];
}

void outcome_settle(struct outcome *outcome, uint64_t next)
{
    if (outcome->account)
        account_settle(outcome->account, outcome->n, next);
    outcome_clear(outcome);
}

void outcome_clear(struct outcome *outcome)
{
    memset(outcome->n, 0, sizeof(outcome->n));
    outcome->first_line = 0;
}
