/* rules-engine --replay CAPTURE [--expect FILE]: what the rules would have decided.
 *
 * Time is the capture's own (capture.h), also between its lines, up to the last one. Each decision
 * is printed as {"t":ms,"by":"rule or derived value","topic":"…","payload":…}. The same capture and
 * rules give the same bytes. */
#ifndef REPLAY_H
#define REPLAY_H

#include "capture.h"
#include "settings.h"

/* Appends the decisions of a struct settings to `out`. Returns as capture_run() does. */
int replay_run(const void *settings, const struct capture *capture, struct buffer *out);

/* service_program's tool. */
struct service_arguments;
int replay_tool(const void *settings, const struct service_arguments *arguments);

#endif
