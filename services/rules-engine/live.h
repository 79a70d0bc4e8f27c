/* The engine on the broker: service_program's start, on_link and close. */
#ifndef LIVE_H
#define LIVE_H

#include "service.h"

int live_start(void **self, struct service *service, const void *settings);
void live_on_link(void *self, bool up);
void live_close(void *self);

#endif
