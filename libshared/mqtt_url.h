/* The broker's URL as the library of Debian 12 understands it: it does not know mqtt:// and
 * mqtts://. Pure. Inside mqtt_client.c and intake_client.c. */
#ifndef MQTT_URL_H
#define MQTT_URL_H

#include <stddef.h>

/* Writes tcp://… or ssl://…. Returns 0, -EINVAL for any other scheme, or -ENAMETOOLONG. */
int mqtt_url_for_library(char *out, size_t size, const char *url);

#endif
