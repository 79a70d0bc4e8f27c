#include "burial.h"

#include "clock.h"
#include "log.h"

#include <stdio.h>
#include <string.h>

#define TROUBLE_WAIT_MS 1000 /* before the disk is tried again */

bool burial_trouble(struct burial *burial, const char *what, int error)
{
    char text[160];

    snprintf(text, sizeof(text), "%s: %s", what, strerror(-error));
    log_error("sink_trouble", "reason=\"%s\" what_to_do=\"it is tried again each second\"", text);
    report_error(burial->report, text);
    return halt_sleep(burial->halt, clock_now_ms() + TROUBLE_WAIT_MS, -1);
}

void burial_add(struct burial *burial, const struct message *message, const char *reason,
                const char *detail)
{
    char text[640];
    int error;

    if (burial->target) {
        snprintf(text, sizeof(text), "target %.64s: %.560s", burial->target, detail);
        detail = text;
    }
    while ((error = report_dead(burial->report, message, reason, detail)) != 0)
        if (!burial_trouble(burial, "dead letters", error)) {
            burial->failed = true;
            return;
        }
}

bool burial_sync(struct burial *burial)
{
    int error;

    while ((error = report_sync(burial->report)) != 0)
        if (!burial_trouble(burial, "dead letters", error))
            return false;
    return !burial->failed;
}
