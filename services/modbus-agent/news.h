/* Whether a group's round says anything that is worth publishing. In the thread of the bus, so that
 * what is not costs no hand-over. Pure.
 *
 * The same cells are the same values: only a round that differs from the one before, or whose
 * heartbeat is over, is decoded and held against what was published last (report.h). */
#ifndef NEWS_H
#define NEWS_H

#include "report.h"
#include "sample.h"
#include "settings.h"

struct news {
    const struct group_settings *group; /* borrowed */
    struct report report;
    struct sample sample;
    bool known;      /* there was a round */
    int *results;    /* owned; of the last round */
    uint16_t *cells; /* owned; of the last round */
};

/* Returns 0 or -ENOMEM. */
int news_open(struct news *out, const struct group_settings *group);
void news_close(struct news *news);

/* If so the round is from here on the one that was published last. */
bool news_due(struct news *news, const int *results, const uint16_t *cells, int64_t now_ms);

void news_forget(struct news *news); /* the next round is to be published, whatever it says */

#endif
