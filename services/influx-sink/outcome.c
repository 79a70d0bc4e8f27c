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
    return outcome->account && record >= account_settled(outcome->account);
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

void outcome_bury(struct outcome *outcome, const struct message *message, size_t line)
{
    struct topic topic;
    uint32_t *n = NULL;

    if (outcome->account && line >= outcome->first_line && parse_topic(outcome, message, &topic))
        n = find(outcome, &topic);
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
