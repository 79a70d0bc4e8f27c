/* The service's part: alert topics in, notifications out, and the memory between. For main.c. */
#ifndef ALERTER_H
#define ALERTER_H

#include "service.h"

/* As struct service_program wants them; `settings` is a struct settings. */
int alerter_start(void **out, struct service *service, const void *settings);
void alerter_on_link(void *self, bool up);
void alerter_drain(void *self);
bool alerter_drained(void *self);
void alerter_close(void *self);
bool alerter_working(void *self, char *why, size_t size);

#endif
