/* alerter --route FILE: where an alert would go and why. The file holds one alert as a line of a
 * capture (capture.h); what comes before it, such as silences and other alerts, is heard first. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "capture.h"
#include "settings.h"

/* Appends the explanation. Returns as capture_run() does, and -ENOENT where there is no alert. */
int explain_run(const struct settings *settings, const struct capture *capture, struct buffer *out);

#endif
