#include "news.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int news_open(struct news *out, const struct group_settings *group)
{
    *out = (struct news){.group = group};
    if (!group->on_change)
        return 0;
    out->results = calloc(group->n_points + 1, sizeof *out->results);
    out->cells = calloc(group->n_cells + 1, sizeof *out->cells);
    if (!out->results || !out->cells || sample_open(&out->sample, sample_texts(group)) != 0 ||
        report_open(&out->report, group->n_points, group->heartbeat_ms) != 0) {
        news_close(out);
        return -ENOMEM;
    }
    for (size_t i = 0; i < group->n_points; i++)
        report_add(&out->report, group->points[i].point.name, &group->points[i].band);
    return 0;
}

void news_close(struct news *news)
{
    report_close(&news->report);
    sample_close(&news->sample);
    free(news->results);
    free(news->cells);
    *news = (struct news){0};
}

/* Keeps the round; returns whether the last one was the same. */
static bool repeats(struct news *news, const int *results, const uint16_t *cells)
{
    size_t results_size = news->group->n_points * sizeof *results;
    size_t cells_size = news->group->n_cells * sizeof *cells;

    if (news->known && memcmp(news->results, results, results_size) == 0 &&
        memcmp(news->cells, cells, cells_size) == 0)
        return true;
    memcpy(news->results, results, results_size);
    memcpy(news->cells, cells, cells_size);
    news->known = true;
    return false;
}

bool news_due(struct news *news, const int *results, const uint16_t *cells, int64_t now_ms)
{
    if (!news->group->on_change)
        return true;
    if (repeats(news, results, cells) && report_rests(&news->report, now_ms))
        return false;
    /* What cannot be judged for want of memory is published. */
    return sample_take(&news->sample, news->group, results, cells) != 0 ||
           report_due(&news->report, &news->sample.reading, now_ms);
}

void news_forget(struct news *news)
{
    report_forget(&news->report);
}
