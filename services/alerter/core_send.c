#include "core_state.h"

static void hand_over(struct core *core, size_t channel, struct notification *notification,
                      int64_t time_ms)
{
    limit_sent(&core->channels[channel].limit, time_ms);
    notification_name(notification, ++core->serial);
    core->handlers->on_notification(core->self, channel, notification);
}

void core_plan_summary(struct core *core, struct core_channel *channel)
{
    int64_t at_ms = limit_ready_ms(&channel->limit);

    if (at_ms == INT64_MAX)
        agenda_remove(&core->limits, &channel->moment);
    else
        agenda_set(&core->limits, &channel->moment, at_ms);
}

void core_send(struct core *core, size_t channel, struct notification *notification,
               int64_t time_ms)
{
    struct core_channel *state = &core->channels[channel];
    bool passes = core->settings->channels[channel].critical_passes &&
                  notification->severity == ALERT_CRITICAL;

    if (passes || limit_allows(&state->limit, time_ms)) {
        limit_supersede(&state->limit, notification);
        hand_over(core, channel, notification, time_ms);
    } else {
        core->stats.held++;
        if (limit_hold(&state->limit, notification) < 0)
            core->stats.lost++;
        notification_close(notification);
    }
    core_plan_summary(core, state);
}

void core_send_summary(struct core *core, struct core_channel *channel, int64_t time_ms)
{
    hand_over(core, (size_t)(channel - core->channels), limit_take(&channel->limit, time_ms),
              time_ms);
    core_plan_summary(core, channel);
}
