/* The service's part: from the broker into the spool, before the broker is told so; the sender
 * takes it on from there. As service_program wants it. */
#ifndef SINK_H
#define SINK_H

#include "service.h"

int sink_start(void **self, struct service *service, const void *settings);
void sink_on_link(void *self, bool up);
void sink_drain(void *self);
bool sink_drained(void *self);
void sink_close(void *self);
bool sink_working(void *self, char *why, size_t size);

#endif
