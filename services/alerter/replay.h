/* alerter --replay CAPTURE [--expect FILE]: whom the alerter would have told what.
 *
 * A capture is as capture.h says; time is its own, also between its lines, up to the last one. Each
 * notification is printed as {"t":ms,"channel":"…","id":"…","kind":"…","severity":"…","text":"…"}.
 * The same capture and configuration give the same bytes. */
#ifndef REPLAY_H
#define REPLAY_H

#include "capture.h"
#include "core.h"
#include "settings.h"

/* Appends the notifications to `out`. Settings are a struct settings.
 * Returns as capture_run() does. */
int replay_run(const void *settings, const struct capture *capture, struct buffer *out);

/* Its parts: a core with these handlers and a printer as `self` prints what it decides; and hearing
 * one line of a capture, with all that time alone decides before it, as capture_fn. */
struct replay_printer {
    const struct settings *settings;
    struct buffer *out;
};
extern const struct core_handlers replay_handlers;
int replay_hear(struct core *core, const char *root, const struct capture_message *message,
                char *error, size_t error_size);

#endif
