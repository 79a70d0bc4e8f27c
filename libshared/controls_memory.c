/* What of a device's commands outlives the process: the results of the last ones, so that one that
 * comes again is known, and the times of the guards. */
#include "clock.h"
#include "controls_state.h"
#include "file_replace.h"
#include "guard_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES 1024 /* on disk, a command that begins and ends */

void controls_on_record(void *self, const struct actuator *actuator,
                        const struct command_result *result)
{
    struct controls *controls = self;

    if (controls->ledger &&
        ledger_file_add(controls->ledger, actuator_settings(actuator)->name, result) != 0)
        controls_count(controls, "unrecorded", NULL);
}

static int store_guards(const struct controls *controls)
{
    struct buffer text = {0};
    struct guard_history history;
    int error;

    guard_file_begin(&text);
    for (size_t i = 0; i < controls->n_controls; i++) {
        const struct actuator *actuator = controls->controls[i].actuator;

        if (actuator_history(actuator, &history, clock_now_ms(), clock_time_ms()))
            guard_file_put(&text, actuator_settings(actuator)->name, &history);
    }
    error = file_replace(controls->guard_path, &text, 0640);
    buffer_free(&text);
    return error;
}

void controls_on_history(void *self, const struct actuator *actuator)
{
    struct controls *controls = self;
    struct guard_history history;

    if (controls->guard_path &&
        actuator_history(actuator, &history, clock_now_ms(), clock_time_ms()) &&
        store_guards(controls) != 0)
        controls_count(controls, "unrecorded", "guard");
}

static void restore_result(void *self, const char *name, const struct command_result *result)
{
    struct control *control = controls_find(self, name);

    if (control)
        actuator_restore(control->actuator, result);
}

static void restore_history(void *self, const char *name, const struct guard_history *history)
{
    struct control *control = controls_find(self, name);

    if (control)
        actuator_restore_history(control->actuator, history, clock_now_ms(), clock_time_ms());
}

/* NULL where there is no memory. Owned by the caller. */
static char *path_of(const struct controls *controls, const char *state_dir, const char *what)
{
    char *path;

    return asprintf(&path, "%s/%s-%s.%s", state_dir, what, device_location(controls->device),
                    device_name(controls->device)) < 0
               ? NULL
               : path;
}

static int open_ledger(struct controls *controls, const char *state_dir)
{
    char *path = path_of(controls, state_dir, "commands");
    int error =
        path ? ledger_file_open(&controls->ledger, path,
                                (int64_t)controls->n_controls * ACTUATOR_LEDGER * RECORD_BYTES)
             : -ENOMEM;

    if (error == 0 && ledger_file_load(controls->ledger, restore_result, controls) > 0)
        log_info("ledger", "file=%s some of it could not be read", path);
    free(path);
    return error;
}

static int open_guards(struct controls *controls, const char *state_dir)
{
    controls->guard_path = path_of(controls, state_dir, "guards");
    return controls->guard_path ? guard_file_load(controls->guard_path, restore_history, controls)
                                : -ENOMEM;
}

void controls_remember(struct controls *controls, const char *state_dir)
{
    int error;

    if (!state_dir || state_dir[0] == '\0' || controls->n_controls == 0)
        return;
    error = open_ledger(controls, state_dir);
    if (error)
        log_warning("ledger",
                    "directory=%s error=\"%s\" what_to_do=\"let the agent write there, or a "
                    "command repeated after a restart is carried out again\"",
                    state_dir, strerror(-error));
    error = open_guards(controls, state_dir);
    if (error)
        log_warning("guards",
                    "directory=%s error=\"%s\" what_to_do=\"let the agent read and write there, or "
                    "the times of guards begin anew when it does\"",
                    state_dir, strerror(-error));
}

void controls_forget(struct controls *controls)
{
    ledger_file_close(controls->ledger);
    free(controls->guard_path);
}
