/* What the modbus-agent is to do, read from its configuration. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "actuator_settings.h"
#include "backlog.h"
#include "config.h"
#include "decode.h"
#include "endpoint.h"
#include "feed.h"
#include "labels.h"
#include "plan.h"
#include "point.h"
#include "report.h"
#include "table.h"
#include "texts.h"
#include "tls.h"
#include "topic.h"

#include <stddef.h>
#include <stdint.h>

#define OUTPUT_CELLS_MAX 4 /* of a value that is written */

struct group_point {
    struct point point;
    struct span span;
    struct encoding encoding;
    struct labels labels;
    struct report_band band;
    size_t first_cell; /* where its cells begin in those of the group */
};

/* Points that are read in one round and published as one reading. */
struct group_settings {
    char measurement[TOPIC_NAME_SIZE];
    int64_t period_ms;
    bool on_change; /* publish what is new only, and what `heartbeat_ms` is over for */
    int64_t heartbeat_ms;
    struct group_point *points; /* owned */
    size_t n_points;
    size_t n_cells; /* of all points, one behind the other */
    struct plan_limits limits;
    struct plan plan; /* of `points`, while no holes are known */
};

/* Where an actuator writes: raw = (value − offset) / scale, or (value − offset) × divide. */
struct output {
    struct span span;
    struct encoding encoding;
    double scale;
    double divide; /* 0: `scale` counts */
    double offset;
};

/* A device: one unit on a bus, or a part of one. */
struct unit_settings {
    uint64_t digest; /* of what the configuration says of it, its template included */
    struct texts texts;
    unsigned unit;     /* its address on the bus */
    size_t breaker_of; /* the bus's first device of that address, whose breaker all of them share */
    char location[TOPIC_NAME_SIZE];
    char device[TOPIC_NAME_SIZE];
    unsigned breaker_failures;
    int64_t breaker_open_ms;
    struct groups_shared *shared;  /* settings_groups.h: has the groups */
    struct group_settings *groups; /* borrowed from it */
    size_t n_groups;
    struct actuator_settings *actuators; /* owned */
    struct output *outputs;              /* owned; one for each actuator */
    size_t n_actuators;
    struct feed_settings feed; /* of the device's watchdog; its period is 0 where there is none */
};

struct bus_settings {
    uint64_t digest; /* of what the configuration says of it and its devices */
    struct texts texts;
    const char *url;
    struct endpoint endpoint;
    struct tls_options tls; /* of tls:// only */
    int64_t timeout_ms;
    int64_t connect_timeout_ms;
    int64_t backoff_first_ms;
    int64_t backoff_max_ms;
    struct unit_settings **units; /* owned, and each of them */
    size_t n_units;
};

struct settings {
    struct bus_settings **buses; /* owned, and each of them */
    size_t n_buses;
    struct backlog_settings backlog;
};

/* Reads the file; what is wrong becomes a problem of the configuration. Gives away what
 * settings_free() takes, of which nothing is borrowed from the configuration. Returns 0 or -ENOMEM.
 */
int settings_read(struct settings **out, struct config_node *root);
void settings_free(struct settings *settings);

#endif
