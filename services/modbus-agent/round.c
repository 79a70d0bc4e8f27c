#include "round.h"

#include "clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int round_open(struct round *out, const struct unit_settings *settings, size_t group,
               struct holes *holes)
{
    const struct group_settings *own = &settings->groups[group];

    *out = (struct round){.group = group,
                          .tells_all =
                              settings->n_actuators > 0 || settings->feed.watchdog.period_ms > 0};
    if (inquiry_open(&out->inquiry, own, holes) != 0)
        return -ENOMEM;
    if (news_open(&out->news, own) != 0) {
        inquiry_close(&out->inquiry);
        return -ENOMEM;
    }
    return 0;
}

void round_close(struct round *round)
{
    free(round->answer);
    news_close(&round->news);
    inquiry_close(&round->inquiry);
}

int round_begin(struct round *round, uint64_t writes)
{
    const struct group_settings *group = round->inquiry.group;
    struct answer *answer = round->answer;

    if (round->begun)
        return 0;
    if (!answer)
        answer = answer_new(ANSWER_ROUND, group->n_points, group->n_cells);
    if (!answer)
        return -ENOMEM;
    round->answer = answer;
    round->begun = true;
    answer->unit = round->unit;
    answer->index = round->group;
    answer->writes = writes;
    answer->time_ms = clock_time_ms();
    memset(answer->cells, 0, group->n_cells * sizeof *answer->cells);
    for (size_t i = 0; i < group->n_points; i++)
        answer->results[i] = -ETIMEDOUT;
    return 0;
}

bool round_take(struct round *round, size_t request, int result, const uint16_t *cells)
{
    struct answer *answer = round->answer;

    answer->time_ms = clock_time_ms();
    return inquiry_take(&round->inquiry, request, result, cells, answer->results, answer->cells);
}

struct answer *round_end(struct round *round, enum breaker_state breaker, bool *is_news)
{
    struct answer *answer = round->answer;

    round->begun = false;
    answer->breaker = breaker;
    *is_news = news_due(&round->news, answer->results, answer->cells, clock_now_ms());
    answer->publish = *is_news;
    if (!*is_news && !round->tells_all && breaker == round->told)
        return NULL;
    round->told = breaker;
    round->answer = NULL;
    return answer;
}
