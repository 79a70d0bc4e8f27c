#include "carrier.h"
#include "channel_text.h"
#include "mail.h"
#include "mail_headers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (128 * 1024)
#define HEADERS_MAX 16

struct carrier {
    const struct channel_settings *settings;
    struct mail *mail;
};

static int pack(const struct channel_settings *settings, const struct notification *notification,
                struct parcel *out)
{
    mail_headers_write(settings, notification, &out->headers);
    channel_text(settings, notification, ESCAPE_NONE, TEXT_MAX, &out->body);
    template_render(settings->mail.html, notification, ESCAPE_HTML, &out->html);
    return out->headers.failed || out->body.failed || out->html.failed ? -ENOMEM : 0;
}

static void carrier_close(void *self)
{
    struct carrier *carrier = self;

    if (!carrier)
        return;
    mail_close(carrier->mail);
    free(carrier);
}

static int carrier_open(void **out, const struct channel_settings *settings)
{
    const struct mail_options options = {.url = settings->mail.url,
                                         .username = settings->mail.username,
                                         .password = settings->mail.password,
                                         .ca_file = settings->mail.ca_file,
                                         .plain = settings->mail.plain,
                                         .connect_timeout_ms = settings->connect_timeout_ms,
                                         .timeout_ms = settings->timeout_ms};
    struct carrier *carrier = calloc(1, sizeof *carrier);
    int rc;

    if (!carrier)
        return -ENOMEM;
    carrier->settings = settings;
    rc = mail_open(&carrier->mail, &options);
    if (rc < 0) {
        carrier_close(carrier);
        return rc;
    }
    *out = carrier;
    return 0;
}

/* Splits the lines in place. */
static void split(char *text, const char *lines[HEADERS_MAX + 1])
{
    size_t n = 0;

    for (char *rest = text, *line; n < HEADERS_MAX && (line = strsep(&rest, "\n"));)
        if (*line)
            lines[n++] = line;
    lines[n] = NULL;
}

static void judge(int rc, struct carrier_result *out)
{
    out->verdict = rc == 0 ? CARRIER_DELIVERED : rc == -EBADMSG ? CARRIER_REFUSED : CARRIER_RETRY;
}

static void carry(void *self, const struct parcel *parcel, struct carrier_result *out)
{
    struct carrier *carrier = self;
    const char *headers[HEADERS_MAX + 1] = {NULL};
    char *lines = strdup(buffer_string(&parcel->headers));
    const struct mail_message message = {.from = carrier->settings->mail.from,
                                         .to = carrier->settings->mail.to,
                                         .headers = headers,
                                         .text = buffer_string(&parcel->body),
                                         .html = buffer_string(&parcel->html)};
    int rc = -ENOMEM;

    *out = (struct carrier_result){.error = "out of memory"};
    if (lines) {
        split(lines, headers);
        rc = mail_send(carrier->mail, &message, out->error, sizeof out->error);
    }
    judge(rc, out);
    free(lines);
}

static void carrier_abort(void *self)
{
    struct carrier *carrier = self;

    mail_abort(carrier->mail);
}

const struct carrier_kind carrier_mail = {pack, carrier_open, carrier_close, carry, carrier_abort};
