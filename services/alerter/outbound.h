/* All the ways out: the channels, what is said of each notification that ends, and the fall-back
 * that takes over. On the loop. */
#ifndef OUTBOUND_H
#define OUTBOUND_H

#include "channel.h"
#include "service.h"
#include "settings.h"

#include <stdbool.h>

struct outbound;

/* What waits has changed. */
typedef void outbound_change_fn(void *self);

/* Service and settings are borrowed. Returns 0 or -errno. */
int outbound_open(struct outbound **out, struct service *service, const struct settings *settings,
                  outbound_change_fn *on_change, void *self);
void outbound_close(struct outbound *outbound); /* forgets what waits; NULL is ignored */

/* In the order of the settings; borrowed. */
struct channel *const *outbound_channels(const struct outbound *outbound);

/* What an earlier life of the program did not get rid of; for a channel that is no more, it goes to
 * the first of the root route, or the first of all. Takes ownership. */
void outbound_resume(struct outbound *outbound, const char *channel,
                     struct notification *notification);

/* Starts nothing more; what is in flight may end. */
void outbound_stop(struct outbound *outbound);
bool outbound_busy(const struct outbound *outbound); /* something is in flight */

#endif
