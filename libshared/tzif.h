/* A time zone's offsets from UTC, as the system's zone files hold them: RFC 8536, version 2 and
 * later, with what its footer says of all times after the last transition (POSIX.1-2017, section
 * 8.3, "TZ", with the extensions of RFC 8536, section 3.3.1). Pure.
 *
 * Seconds are those of time_t. Files that count leap seconds ("right/…") are not taken. */
#ifndef TZIF_H
#define TZIF_H

#include <stddef.h>
#include <stdint.h>

struct tzif;

/* Reads the content of a zone file, which is copied. Returns 0, -EBADMSG or -ENOMEM. */
int tzif_open(struct tzif **out, const void *data, size_t size);
void tzif_close(struct tzif *tzif); /* NULL is ignored */

struct tzif_offset {
    int32_t seconds;  /* east of UTC */
    const char *name; /* "CET"; borrowed */
};
struct tzif_offset tzif_at(const struct tzif *tzif, int64_t seconds);

#endif
