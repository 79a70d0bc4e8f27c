/* What all five programs have in common: flags, signals, exit codes, configuration, the connection,
 * birth and health (contract, sections 4 and 5). A main() fills one struct and calls
 * service_main(). */
#ifndef SERVICE_H
#define SERVICE_H

#include "config.h"
#include "health.h"
#include "loop.h"
#include "mqtt.h"

#include <stdbool.h>

/* Exit codes: sysexits.h's, the ones in use. */
enum {
    SERVICE_OK = 0,
    SERVICE_USAGE = 64,
    SERVICE_UNAVAILABLE = 69,
    SERVICE_INTERNAL = 70,
    SERVICE_IO = 74,
    SERVICE_CONFIG = 78
};

struct service;
struct service_arguments;

/* An own word of a program: "--replay CAPTURE". */
struct service_option {
    const char *flag;     /* without the dashes */
    const char *argument; /* its name in the help; NULL: takes none */
    const char *help;
    bool is_tool; /* given, the program runs service_program.tool instead of serving */
};

/* How a program is served. Settings are what the configuration file became; they are built by
 * `configure` alone, which records problems in the configuration, and freed by `discard`.
 * On SIGHUP a good new file stops and closes the old part and starts a new one with new settings,
 * or has the part change over by itself (`reload`), on the same connection; a bad one is named and
 * refused. */
struct service_program {
    const char *name;
    const char *about;                    /* one line for --help */
    const struct service_option *options; /* ends with a NULL flag; may be NULL */

    int (*configure)(void **settings, struct config_node *root); /* 0 or -ENOMEM */
    void (*discard)(void *settings);
    /* Builds the service's part and subscribes. `settings` are borrowed until `close`. 0 or -errno,
     * which ends the program (69) with that error. */
    int (*start)(void **self, struct service *service, const void *settings);
    void (*on_link)(void *self, bool up); /* may be NULL */
    /* Takes nothing more in; called before `drained` is asked. May be NULL. */
    void (*drain)(void *self);
    bool (*drained)(void *self); /* may be NULL: at once */
    void (*close)(void *self);
    /* In place of `close` and `start` where only what changed is to change: takes over from the old
     * settings what is the same in the fresh ones, leaves the old ones whole to be discarded. May
     * be NULL. 0, or -errno, which ends the program (69). */
    int (*reload)(void *self, void *fresh, void *old);
    /* Key of the configuration of which the settings borrow nothing: forgotten once it was read,
     * for the memory that it takes. May be NULL. */
    const char *forgettable;
    /* Whether it does its work, with a sentence where it does not; for --healthcheck. May be NULL.
     */
    bool (*working)(void *self, char *why, size_t size);
    /* The option that makes this one of several of the same configuration, or NULL: its value "2/3"
     * makes the instance <instance>-2of3 and the state directory <state_dir>/2of3. */
    const char *part_flag;
    /* What the file means, printed by --check once it was found good. May be NULL. Exit code. */
    int (*explain)(const void *settings, const struct service_arguments *arguments);
    /* Runs a tool and returns the exit code. `settings` are NULL where no --config was given and
     * `tool_needs_config` is false. */
    int (*tool)(const void *settings, const struct service_arguments *arguments);
    bool tool_needs_config;
    int64_t session_expiry_ms; /* MQTT session kept by the broker while away; 0: clean start */
    int64_t gather_ms;         /* as in mqtt.h; 0: each message at once */
};

int service_main(const struct service_program *program, int argc, char **argv);

/* Value of an option: NULL where it was not given, "" where it takes none. */
const char *service_argument(const struct service_arguments *arguments, const char *flag);

/* For a tool: another configuration of the same program. `*settings` are what `configure` made of it
 * and end with service_other_close(). Returns NULL after telling what is wrong on standard error. */
struct service_settings;
struct service_settings *service_other_open(const struct service_arguments *arguments,
                                            const char *path, const void **settings);
void service_other_close(const struct service_arguments *arguments,
                         struct service_settings *other); /* NULL is ignored */

/* service_argument() while it serves. */
const char *service_flag(const struct service *service, const char *flag);

struct loop *service_loop(struct service *service);
struct mqtt *service_mqtt(struct service *service);
struct health *service_health(struct service *service);
/* How the connection is made, for one more of another kind; borrowed until the next reload. */
const struct mqtt_options *service_mqtt_options(const struct service *service);
const char *service_root(const struct service *service);
const char *service_instance(const struct service *service);
const char *
service_state_dir(const struct service *service); /* exists, writable; "" if not configured */

/* Ends the program with this exit code after draining. */
void service_end(struct service *service, int exit_code);

#endif
