/* rules-engine --replay CAPTURE [--expect FILE]: what the rules would have decided.
 *
 * A capture is a file of JSON lines, {"t":ms,"topic":"…","payload":…,"retained":false}: the payload
 * is JSON as it is, or a string for one that is not, or "hex":"00ff" in its place; `t` is the wall
 * clock at which the message came and must not go back. Time is the capture's own, also between its
 * lines, up to the last one. Each decision is printed as {"t":ms,"by":"rule or derived
 * value","topic":"…","payload":…}. The same capture and rules give the same bytes. */
#ifndef REPLAY_H
#define REPLAY_H

#include "buffer.h"
#include "settings.h"

#include <stdio.h>

/* Appends the decisions to `out`. Returns 0; -EBADMSG with the line and what is wrong told on
 * `errors`; -ENOMEM, -EIO. */
int replay_run(const struct settings *settings, FILE *capture, const char *name, FILE *errors,
               struct buffer *out);

/* service_program's tool. */
struct service_arguments;
int replay_tool(const void *settings, const struct service_arguments *arguments);

#endif
