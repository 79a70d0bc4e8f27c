/* The addresses and credentials of InfluxDB's HTTP API, for who writes, who asks and who sets up.
 * Pure. */
#ifndef STORE_URL_H
#define STORE_URL_H

#include "buffer.h"
#include "target.h"

/* Appends the store's own address, without a slash at its end, and the path. */
void store_url_begin(struct buffer *url, const struct target_settings *settings, const char *path);

/* Appends "<separator>key=value", the value percent-encoded (RFC 3986, section 2.3). */
void store_url_parameter(struct buffer *url, char separator, const char *key, const char *value);

/* The header "Authorization: Token …", "… Bearer …" (RFC 6750) or "… Basic …" (RFC 7617); nothing
 * where there are no credentials. */
void store_authorization(struct buffer *out, const struct target_settings *settings);

#endif
