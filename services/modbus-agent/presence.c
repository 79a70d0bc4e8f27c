#include "presence.h"

#include "bus.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int presence_open(struct presence *out, const struct unit_settings *settings)
{
    *out = (struct presence){.settings = settings};
    out->faults = calloc(settings->n_groups + 1, sizeof *out->faults);
    return out->faults ? 0 : -ENOMEM;
}

void presence_close(struct presence *presence)
{
    free(presence->faults);
    *presence = (struct presence){0};
}

void presence_take_round(struct presence *presence, const struct answer *answer)
{
    const struct group_settings *group = &presence->settings->groups[answer->index];
    int *fault = &presence->faults[answer->index];

    *fault = 0;
    for (size_t i = 0; i < group->n_points && *fault == 0; i++)
        *fault = answer->results[i];
    presence->breaker = answer->breaker;
    presence->answered = presence->answered || *fault == 0;
}

void presence_take_link(struct presence *presence, const char *down)
{
    snprintf(presence->down, sizeof presence->down, "%s", down ? down : "");
    /* Without a poll nothing but the link says whether commands can be tried. */
    presence->answered = !down && presence->settings->n_groups == 0;
}

enum device_state presence_judge(const struct presence *presence, enum device_state before,
                                 char reason[PRESENCE_REASON_SIZE])
{
    const struct unit_settings *settings = presence->settings;

    *reason = '\0';
    if (presence->down[0]) {
        snprintf(reason, PRESENCE_REASON_SIZE, "link_down: %s", presence->down);
        return DEVICE_OFFLINE;
    }
    if (presence->breaker != BREAKER_CLOSED) {
        snprintf(reason, PRESENCE_REASON_SIZE, "unit_silent");
        return DEVICE_OFFLINE;
    }
    for (size_t i = 0; i < settings->n_groups; i++) {
        if (presence->faults[i] == 0)
            continue;
        snprintf(reason, PRESENCE_REASON_SIZE, "%s in %s", bus_reason(presence->faults[i]),
                 settings->groups[i].measurement);
        return DEVICE_DEGRADED;
    }
    if (presence->feed_failure) {
        snprintf(reason, PRESENCE_REASON_SIZE, "%s in feeding the watchdog",
                 presence->feed_failure);
        return DEVICE_DEGRADED;
    }
    return presence->answered ? DEVICE_ONLINE : before;
}
