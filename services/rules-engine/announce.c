#include "announce.h"
#include "command.h"
#include "topic.h"

#include <stdio.h>

void announcer_free(struct announcer *announcer)
{
    buffer_free(&announcer->payload);
}

/* Where it goes; `encoded` is what writing the payload said. */
static void publish(struct announcer *announcer, int encoded, enum topic_kind kind,
                    const struct engine_place *place, const char *name,
                    struct announcement announcement)
{
    char topic[TOPIC_SIZE];
    if (encoded < 0 ||
        topic_make(topic, announcer->root, kind, place->location, place->device, name) < 0) {
        announcer->n_failed++;
        return;
    }
    announcement.topic = topic;
    announcement.payload = buffer_string(&announcer->payload);
    announcement.size = announcer->payload.size;
    announcer->publish(announcer->self, &announcement);
}

void announce_command(void *self, const struct engine_command *command)
{
    struct announcer *announcer = self;
    struct command out = {
        .value = command->value,
        .ts_ms = command->time_ms,
        .ttl_ms = command->ttl_ms,
    };
    snprintf(out.id, sizeof(out.id), "%s", command->id);
    /* The longest rule's name does not quite fit behind the slash; who sent it is still plain. */
    snprintf(out.source, sizeof(out.source), "rules-engine/%.*s",
             (int)(sizeof(out.source) - sizeof("rules-engine/")), command->rule);
    buffer_clear(&announcer->payload);
    publish(announcer, command_encode(&out, &announcer->payload), TOPIC_COMMAND, &command->place,
            command->actuator,
            (struct announcement){.name = command->rule, .ttl_ms = command->ttl_ms});
}

void announce_alert(void *self, const struct engine_place *place, const struct alert *alert)
{
    struct announcer *announcer = self;
    buffer_clear(&announcer->payload);
    publish(announcer, alert_encode(alert, &announcer->payload), TOPIC_ALERT, place, alert->rule,
            (struct announcement){.name = alert->rule, .retained = true});
}

void announce_reading(void *self, const struct engine_place *place, const char *measurement,
                      const char *derived, const struct reading *reading)
{
    struct announcer *announcer = self;
    buffer_clear(&announcer->payload);
    publish(announcer, reading_encode(reading, &announcer->payload), TOPIC_TELEMETRY, place,
            measurement, (struct announcement){.name = derived, .retained = true});
}
