/* One e-mail at a time by SMTP (RFC 5321), blocking, on a kept connection. For worker threads.
 *
 * smtps:// speaks TLS from the start, smtp:// demands STARTTLS (RFC 3207) unless it is told that
 * plain text will do; the certificate and its host name are checked. A password never goes out
 * unencrypted. */
#ifndef MAIL_H
#define MAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mail;

struct mail_options {
    const char *url;      /* smtp://host:587, smtps://host:465 */
    const char *username; /* NULL: without authentication */
    const char *password;
    const char *ca_file; /* NULL: the system's */
    bool plain;          /* smtp:// without TLS, and then without authentication */
    int64_t connect_timeout_ms;
    int64_t timeout_ms; /* for the whole mail */
};

/* Addresses are bare, "ops@example.org". Headers are lines "Name: value" in ASCII without line
 * ends, NULL at the end. Texts are UTF-8; both are sent as base64, as alternatives of each other
 * (RFC 2046, section 5.1.4). */
struct mail_message {
    const char *from;
    const char *const *to; /* NULL at the end */
    const char *const *headers;
    const char *text;
    const char *html; /* NULL: none */
};

/* Options are copied. Returns 0, -ENOMEM, or -EIO where the library refuses them. */
int mail_open(struct mail **out, const struct mail_options *options);
void mail_close(struct mail *mail);

/* Returns 0 where the server took the mail; of recipients that it refuses for good (5xx), which
 * keeps the others from nothing, `error` says so, otherwise "". Where it was not taken, `error`
 * says why, and the return is -EBADMSG where the server refused it for good (5xx); -EAGAIN where it
 * may take it later (4xx); -EACCES where it does not take the password; -ETIMEDOUT; -ECONNREFUSED
 * where nobody could be connected to; -EPROTO for a certificate that does not hold, no STARTTLS and
 * what is no SMTP; -ECANCELED after mail_abort(); -ENOMEM; -EIO for the rest. */
int mail_send(struct mail *mail, const struct mail_message *message, char *error,
              size_t error_size);

/* From any thread: ends the mail in flight, within a second, and every later one. */
void mail_abort(struct mail *mail);

/* Whether it can stand as an address in a mail: one @, no space, no control character, none of
 * <>()[],;:\" and nothing that is not ASCII. */
bool mail_address_valid(const char *address);

#endif
