/* A device's birth document: its points, actuators and holes (contract, section 1; meta.h). Pure.
 */
#ifndef UNIT_META_H
#define UNIT_META_H

#include "buffer.h"
#include "settings.h"

/* Appends it. Returns 0 or -ENOMEM. */
int unit_meta(struct buffer *out, const struct unit_settings *settings, const struct holes *holes,
              const char *agent, int64_t time_ms);

#endif
