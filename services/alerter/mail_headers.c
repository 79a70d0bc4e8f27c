#include "mail_headers.h"

#include "utf8.h"

#include <string.h>

#define WORD_BYTES 42 /* of text in an encoded word, which is 75 characters at most */
#define SUBJECT_MAX 250

static void put_base64(const unsigned char *bytes, size_t size, struct buffer *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        unsigned long group = (unsigned long)bytes[i] << 16;

        if (i + 1 < size)
            group |= (unsigned long)bytes[i + 1] << 8;
        if (i + 2 < size)
            group |= bytes[i + 2];
        buffer_char(out, digits[group >> 18 & 63]);
        buffer_char(out, digits[group >> 12 & 63]);
        buffer_char(out, i + 1 < size ? digits[group >> 6 & 63] : '=');
        buffer_char(out, i + 2 < size ? digits[group & 63] : '=');
    }
}

/* Bytes of whole characters at the beginning, at most `max`; a byte that is none stands alone. */
static size_t whole_characters(const char *text, size_t max)
{
    size_t size = 0, length = strlen(text);

    while (size < length) {
        size_t one = utf8_length(text + size, length - size);

        if (one == 0)
            one = 1;
        if (size + one > max)
            break;
        size += one;
    }
    return size;
}

static bool is_plain(const char *text)
{
    if (strstr(text, "=?"))
        return false; /* it would be read as an encoded word */
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
            return false;
    return true;
}

void mail_headers_words(const char *text, struct buffer *out)
{
    const char *between = "";

    if (is_plain(text)) {
        buffer_text(out, text);
        return;
    }
    while (*text) {
        size_t size = whole_characters(text, WORD_BYTES);

        buffer_format(out, "%s=?UTF-8?B?", between);
        put_base64((const unsigned char *)text, size, out);
        buffer_text(out, "?=");
        text += size;
        between = " ";
    }
}

static void put_subject(const struct channel_settings *settings, const struct notification *n,
                        struct buffer *out)
{
    struct buffer subject = {0}, line = {0};

    template_render(settings->mail.subject, n, ESCAPE_LINE, &subject);
    escape_text(ESCAPE_LINE, buffer_string(&subject),
                &line); /* the template itself may have ends */
    if (line.size > SUBJECT_MAX) {
        size_t size = whole_characters(line.data, SUBJECT_MAX);

        line.data[size] = '\0';
        line.size = size;
        buffer_text(&line, "…");
    }
    buffer_text(out, "Subject: ");
    mail_headers_words(buffer_string(&line), out);
    buffer_char(out, '\n');
    out->failed |= subject.failed || line.failed;
    buffer_free(&subject);
    buffer_free(&line);
}

void mail_headers_write(const struct channel_settings *settings, const struct notification *n,
                        struct buffer *out)
{
    const struct mail_settings *mail = &settings->mail;

    buffer_format(out, "From: <%s>\n", mail->from);
    for (size_t i = 0; mail->to[i]; i++)
        buffer_format(out, "%s<%s>%s", i ? ", " : "To: ", mail->to[i], mail->to[i + 1] ? "" : "\n");
    put_subject(settings, n, out);
    buffer_text(out, "Date: ");
    zone_mail_date(n->zone, n->created_ms, out);
    buffer_char(out, '\n');
    /* The same for each attempt, so that a mailbox can tell. */
    buffer_format(out, "Message-ID: <%s/%s%s>\n", n->id, settings->name, strchr(mail->from, '@'));
    buffer_text(out, "Auto-Submitted: auto-generated\n"); /* RFC 3834: no machine is to answer */
    if (n->severity == ALERT_CRITICAL && notification_calls(n))
        buffer_text(out, "Importance: high\n");
}
