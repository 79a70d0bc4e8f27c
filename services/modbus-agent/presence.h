/* Whether a device is there: from its link, its unit's breaker and what its last rounds brought. */
#ifndef PRESENCE_H
#define PRESENCE_H

#include "answer.h"
#include "breaker.h"
#include "device.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>

#define PRESENCE_REASON_SIZE (ANSWER_TEXT_SIZE + 16)

struct presence {
    const struct unit_settings *settings; /* borrowed */
    int *faults;   /* owned; for each group the first result of its last round that was not 0 */
    bool answered; /* since the link came */
    char down[ANSWER_TEXT_SIZE]; /* why there is no link; empty while there is */
    enum breaker_state breaker;
    const char
        *feed_failure; /* borrowed; why its watchdog was not fed; NULL: it was, or has none */
};

int presence_open(struct presence *out, const struct unit_settings *settings); /* 0 or -ENOMEM */
void presence_close(struct presence *presence);

void presence_take_round(struct presence *presence, const struct answer *answer);

/* The link came (NULL) or went. */
void presence_take_link(struct presence *presence, const char *down);

/* The state with a sentence in `reason`; `before` where nothing was heard yet. */
enum device_state presence_judge(const struct presence *presence, enum device_state before,
                                 char reason[PRESENCE_REASON_SIZE]);

#endif
