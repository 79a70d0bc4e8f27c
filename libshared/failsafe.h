/* When an actuator must go to its safe value by itself. Pure: time passed in.
 *
 * A cause acts once, when it appears: what has come back, and a command after that, is not
 * overruled until the cause has gone and come again. */
#ifndef FAILSAFE_H
#define FAILSAFE_H

#include "config.h"
#include "fields.h"
#include "latest.h"
#include "texts.h"
#include "topic.h"

#include <stdbool.h>
#include <stdint.h>

#define FAILSAFE_INPUTS_MAX 16

struct failsafe_settings {
    bool start;                       /* when the agent starts */
    bool exit;                        /* when it is told to end */
    int64_t broker_lost_ms;           /* without a broker for so long; 0: never, as below */
    int64_t controller_silent_ms;     /* neither a command nor a heartbeat of the controller */
    char controller[TOPIC_NAME_SIZE]; /* instance of a service */
    int64_t input_stale_ms;           /* one of the inputs has had no good value */
    const char *inputs[FAILSAFE_INPUTS_MAX]; /* names of fields; borrowed */
    size_t n_inputs;
};

/* Reads "start", "exit", "broker_lost", "controller_silent", "controller", "input_stale" and
 * "inputs". The second reads all but the first two: what can be missing. */
void failsafe_configure(struct failsafe_settings *out, struct config_node *node);
void failsafe_configure_missing(struct failsafe_settings *out, struct config_node *node);
/* Each input that the device does not have is a problem. */
void failsafe_check(const struct failsafe_settings *settings, const struct fields *fields,
                    struct config_node *node);

/* Replaces what is borrowed from the configuration by copies among `texts`. */
void failsafe_own(struct failsafe_settings *settings, struct texts *texts);

bool failsafe_is_used(const struct failsafe_settings *settings);

/* What it is judged by; all times monotonic. Before anything was heard they are those of the start.
 */
struct failsafe_signs {
    int64_t broker_ms;     /* when the broker was last there */
    int64_t controller_ms; /* when a command came, or the controller was heard */
    const struct latest *latest;
};

struct failsafe {
    const struct failsafe_settings *settings; /* borrowed */
    int64_t start_ms;
    bool started;
    bool broker_lost; /* as found the last time, all three */
    bool controller_silent;
    bool input_stale;
};

void failsafe_init(struct failsafe *failsafe, const struct failsafe_settings *settings,
                   int64_t now_ms);

/* To be called often. The cause that has just appeared, static ("start", "broker_lost",
 * "controller_silent", "input_stale"), or NULL. */
const char *failsafe_judge(struct failsafe *failsafe, const struct failsafe_signs *signs,
                           int64_t now_ms);

/* What was missing when it was judged the last time, new or not; NULL where nothing was. Static. */
const char *failsafe_missing(const struct failsafe *failsafe);

#endif
