/* The suite's topic names: contract, section 1. Pure. */
#ifndef TOPIC_H
#define TOPIC_H

#include <stdbool.h>
#include <stddef.h>

#define TOPIC_NAME_SIZE 65 /* bytes of a level's name, NUL included: [a-z0-9_-]{1,64} */
#define TOPIC_SIZE 512     /* bytes of any topic of the suite, NUL included, root of up to 200 */

enum topic_kind {
    TOPIC_TELEMETRY, /* root/location/device/telemetry/name */
    TOPIC_STATUS,    /* root/location/device/status */
    TOPIC_META,      /* root/location/device/meta */
    TOPIC_COMMAND,
    TOPIC_RESULT,
    TOPIC_STATE,
    TOPIC_ALERT,
    TOPIC_ACK,            /* root/location/device/<kind>/name for these five */
    TOPIC_SERVICE_STATUS, /* root/_service/name/status */
    TOPIC_SERVICE_HEALTH, /* root/_service/name/health */
    TOPIC_SILENCE,        /* root/_silence/name */
    TOPIC_DEAD,           /* root/_dead/name */
    TOPIC_QUERY,          /* root/_query/name */
    TOPIC_NOTIFICATION,   /* root/_notification/name */
    TOPIC_N_KINDS
};

struct topic {
    enum topic_kind kind;
    char location[TOPIC_NAME_SIZE]; /* empty where the kind has none */
    char device[TOPIC_NAME_SIZE];   /* empty where the kind has none */
    char name[TOPIC_NAME_SIZE]; /* measurement, actuator, rule, instance…; empty for status and meta
                                 */
};

/* [a-z0-9_-]{1,64} */
bool topic_name_valid(const char *name);

/* Names that begin with '_' belong to the suite: not for users' locations, devices, points… */
bool topic_name_reserved(const char *name);

/* A root: one or more non-empty levels without wildcards or '$' in front, 200 characters at most.
 */
bool topic_root_valid(const char *root);

/* Splits a topic below `root`. Returns 0, or -ENOENT where it is none of the suite's. */
int topic_parse(struct topic *out, const char *root, const char *topic);

/* Writes a topic or, with "+" for location, device or name, a subscription filter.
 * Returns 0, or -ENAMETOOLONG. */
int topic_format(char out[TOPIC_SIZE], const char *root, const struct topic *topic);

/* topic_format() for the common case. Unused parts are NULL. */
int topic_make(char out[TOPIC_SIZE], const char *root, enum topic_kind kind, const char *location,
               const char *device, const char *name);

/* Whether an answer may be published to this Response Topic, which a stranger chose: any topic but
 * the suite's own, that is none below the root except root/_reply/…; no wildcards, nothing below
 * '$'. */
bool topic_is_reply(const char *root, const char *topic);

/* Whether an MQTT filter ('+', '#', "$share/group/…") takes a topic: MQTT 5, section 4.7. */
bool topic_matches(const char *filter, const char *topic);

/* The topic by which a subscriber tests a filter: every wildcard level becomes `_echo`. What
 * arrives there is nobody's message. topic_echo() returns 0, -ENOENT for a filter without a
 * wildcard and for a shared one, whose echo may go to another of its group, or -ENAMETOOLONG. */
int topic_echo(char out[TOPIC_SIZE], const char *filter);
bool topic_is_echo(const char *topic);

#endif
