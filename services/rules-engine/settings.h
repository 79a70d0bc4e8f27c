/* What the configuration says: derived values and rules, compiled. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "alert.h"
#include "config.h"
#include "expression.h"
#include "hours.h"
#include "include.h"
#include "pid.h"
#include "rule.h"
#include "shard.h"
#include "template.h"

#include <stddef.h>
#include <stdint.h>

#define SETTINGS_TTL_MS 10000 /* of a command where the action does not say */
#define SETTINGS_RETRIES 3    /* of a command, likewise */
#define SETTINGS_WEEK_MS (INT64_C(7) * 24 * 3600 * 1000) /* the longest time that can be said */
/* Behind a rule's name: the alerts about a failed command and a set-point that is not held. */
#define SETTINGS_FAILED "_failed"
#define SETTINGS_NOT_HELD "_not_held"
#define SETTINGS_STALE_AFTER_MS 30000 /* where the rule does not say */

/* Which devices, and what is read of them and of others. Location and device are patterns in which
 * a
 * '*' stands for any run of characters; the measurement is a name. Strings are borrowed from the
 * configuration. */
struct scope {
    struct config_node *node; /* borrowed: where it stands in the configuration */
    const char *name;
    uint64_t meaning; /* a hash of all that decides: not of texts, severity, whether it alerts */
    const char *location, *device, *measurement;
    struct expression_references references;
    int64_t stale_after_ms; /* a field not read for so long is unknown; 0: it never is */
};

struct derived_value {
    const char *name;
    struct expression *expression;
};

/* Values computed from a device's readings and published as another measurement of that device. */
struct derived {
    struct scope scope;
    const char *measurement; /* that it is published as */
    struct derived_value *values;
    size_t n_values;
};

/* A command or, where `measurement` is not NULL, a reading of the selected device. */
struct action {
    const char *location, *device; /* NULL: the selected one's */
    const char *actuator;
    unsigned retries;              /* how often a failed command is given again */
    struct value value;            /* a text is borrowed */
    struct expression *expression; /* instead of `value`; NULL where that is given */
    int64_t ttl_ms;
    const char *measurement;
    struct derived_value *values;
    size_t n_values;
};

struct actions {
    struct action *items;
    size_t n;
};

/* "on_off" or "pid", or the watch over one of them: a rule beside it that tells the alert. See
 * control.h. */
struct control {
    enum { CONTROL_NONE, CONTROL_ON_OFF, CONTROL_PID, CONTROL_WATCH } kind;
    char *watch_name; /* owned; what a watch's scope is named */
    double tolerance; /* of a watch: what is farther from the set-point is not held */
    struct expression *input, *setpoint;
    struct expression *automatic; /* NULL: always */
    struct expression *track;     /* NULL: its own last output */
    double band;
    bool cools;
    int64_t min_on_ms, min_off_ms;
    struct pid_settings pid;
    double step; /* smaller changes of the output are not commanded; never 0 */
    bool has_safe;
    double safe; /* output outside of the hours; where there is none, the last one stays */
};

struct rule {
    struct scope scope;
    struct control control;
    struct expression *when;  /* NULL where the rule fires on silence or controls */
    int64_t absent_ms;        /* fires when no good value came for so long; 0: it has `when` */
    struct expression *until; /* NULL: when `when` is false */
    bool reads_clock;         /* one of the two does */
    size_t n_asked; /* where they read windows: the first references, which are theirs; else 0 */
    struct rule_timing timing;
    int64_t cool_down_ms; /* at least so long from one firing to the next */
    size_t max_per_hour;  /* how often it may fire in any hour; 0: as it likes */
    bool has_hours;
    struct hours hours; /* outside of them it is inactive */
    bool alerts;
    enum alert_severity severity;
    struct template *message;
    struct actions on_active;   /* "then" */
    struct actions on_inactive; /* "else" */
};

struct settings {
    const char *root;  /* of the topics: for replay, which has no connection to ask */
    struct zone *zone; /* owned; of the hours in which rules are enabled */
    struct derived *derived;
    size_t n_derived;
    struct rule *rules;
    size_t n_rules;
    struct include include; /* owned */
    struct shard shard;     /* whose devices are decided on: --shard */
};

/* service_program's configure and discard. Problems are recorded in the configuration. */
int settings_configure(void **out, struct config_node *root);
void settings_discard(void *settings);

/* Whether some rule fires on silence. */
bool settings_await(const struct settings *settings);

#endif
