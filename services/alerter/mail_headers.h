/* The headers of a mail: RFC 5322. Pure. */
#ifndef MAIL_HEADERS_H
#define MAIL_HEADERS_H

#include "buffer.h"
#include "channel_settings.h"
#include "notification.h"

/* Appends them, a line each, ended by '\n'. Whatever the notification holds, there are these
 * headers and no others, in ASCII. */
void mail_headers_write(const struct channel_settings *settings,
                        const struct notification *notification, struct buffer *out);

/* Appends a text of one line as a header's words: as it is where it is plain ASCII, else in encoded
 * words (RFC 2047, section 4.1). */
void mail_headers_words(const char *text, struct buffer *out);

#endif
