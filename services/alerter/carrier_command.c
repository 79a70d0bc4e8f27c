#include "carrier.h"
#include "notification_json.h"
#include "process.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct carrier {
    const struct channel_settings *settings;
    atomic_bool cancelled;
};

static int pack(const struct channel_settings *settings, const struct notification *notification,
                struct parcel *out)
{
    (void)settings;
    return notification_body(notification, &out->body);
}

static int carrier_open(void **out, const struct channel_settings *settings)
{
    struct carrier *carrier = calloc(1, sizeof *carrier);

    if (!carrier)
        return -ENOMEM;
    carrier->settings = settings;
    *out = carrier;
    return 0;
}

static void judge(int rc, const struct process_end *end, const char *program,
                  struct carrier_result *out)
{
    *out = (struct carrier_result){.verdict = CARRIER_RETRY};
    if (rc == -ETIMEDOUT)
        snprintf(out->error, sizeof out->error, "did not end in time and was ended");
    else if (rc < 0)
        snprintf(out->error, sizeof out->error, "%.100s: %s", program, strerror(-rc));
    else if (end->signal)
        snprintf(out->error, sizeof out->error, "ended by signal %d", end->signal);
    else if (end->exit_code)
        snprintf(out->error, sizeof out->error, "exit code %d: %s", end->exit_code, end->said);
    else
        out->verdict = CARRIER_DELIVERED;
}

/* Nothing that a stranger wrote is in its arguments or its environment. */
static void carry(void *self, const struct parcel *parcel, struct carrier_result *out)
{
    static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8",
                                              NULL};
    struct carrier *carrier = self;
    const struct process_run run = {.arguments = carrier->settings->command,
                                    .environment = environment,
                                    .input = parcel->body.data,
                                    .size = parcel->body.size,
                                    .timeout_ms = carrier->settings->timeout_ms,
                                    .cancelled = &carrier->cancelled};
    struct process_end end;
    int rc = process_run(&run, &end);

    judge(rc, &end, carrier->settings->command[0], out);
}

static void carrier_abort(void *self)
{
    struct carrier *carrier = self;

    atomic_store(&carrier->cancelled, true);
}

const struct carrier_kind carrier_command = {pack, carrier_open, free, carry, carrier_abort};
