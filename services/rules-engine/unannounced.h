/* Names in derived values and rules that no agent announces: slips of the pen, mostly. Pure. */
#ifndef UNANNOUNCED_H
#define UNANNOUNCED_H

#include "announced.h"
#include "settings.h"

/* Appends a line "warning: …" for each selection that finds no device, and for each field and
 * actuator that not all selected devices announce; what derived values and rules publish counts as
 * announced. Returns how many. */
size_t unannounced_list(const struct announced *announced, const struct settings *settings,
                        struct buffer *out);

#endif
