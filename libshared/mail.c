#include "mail.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if LIBCURL_VERSION_NUM < 0x080200 /* until then its name had one L more */
#define CURLOPT_MAIL_RCPT_ALLOWFAILS CURLOPT_MAIL_RCPT_ALLLOWFAILS
#endif

#define ADDRESS_MAX 254 /* RFC 5321, section 4.5.3.1.3, without the brackets */

struct mail {
    CURL *curl;
    atomic_bool aborted;
    char error[CURL_ERROR_SIZE];
};

static int mail_on_progress(void *self, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                            curl_off_t up)
{
    struct mail *mail = self;

    (void)down_total, (void)down, (void)up_total, (void)up;
    return atomic_load(&mail->aborted); /* other than 0 ends the mail */
}

static CURLcode mail_set_login(CURL *curl, const struct mail_options *options)
{
    CURLcode code = curl_easy_setopt(curl, CURLOPT_USE_SSL,
                                     options->plain ? (long)CURLUSESSL_NONE : (long)CURLUSESSL_ALL);

    if (options->ca_file)
        code |= curl_easy_setopt(curl, CURLOPT_CAINFO, options->ca_file);
    if (options->username && !options->plain) {
        code |= curl_easy_setopt(curl, CURLOPT_USERNAME, options->username);
        code |=
            curl_easy_setopt(curl, CURLOPT_PASSWORD, options->password ? options->password : "");
    }
    return code;
}

static bool mail_set_up(struct mail *mail, const struct mail_options *options)
{
    CURL *curl = mail->curl;
    CURLcode code = mail_set_login(curl, options);

    code |= curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L); /* several threads resolve names */
    code |= curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    code |= curl_easy_setopt(curl, CURLOPT_URL, options->url);
    code |= curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms);
    code |= curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms);
    code |= curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, mail->error);
    code |= curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, mail_on_progress);
    code |= curl_easy_setopt(curl, CURLOPT_XFERINFODATA, mail);
    code |= curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    return code == CURLE_OK;
}

int mail_open(struct mail **out, const struct mail_options *options)
{
    struct mail *mail = calloc(1, sizeof *mail);

    if (!mail)
        return -ENOMEM;
    mail->curl = curl_easy_init();
    if (!mail->curl) {
        free(mail);
        return -ENOMEM;
    }
    if (!mail_set_up(mail, options)) {
        mail_close(mail);
        return -EIO;
    }
    *out = mail;
    return 0;
}

void mail_close(struct mail *mail)
{
    if (!mail)
        return;
    curl_easy_cleanup(mail->curl);
    free(mail);
}

void mail_abort(struct mail *mail)
{
    atomic_store(&mail->aborted, true);
}

/* ---- the message ---- */

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);

    if (more)
        *list = more;
    return more;
}

static bool add_lines(struct curl_slist **list, const char *const *lines)
{
    bool ok = true;

    for (size_t i = 0; ok && lines && lines[i]; i++)
        ok = add_line(list, lines[i]);
    return ok;
}

static bool add_part(curl_mime *mime, const char *text, const char *type)
{
    curl_mimepart *part = curl_mime_addpart(mime);

    return part && curl_mime_data(part, text, CURL_ZERO_TERMINATED) == CURLE_OK &&
           curl_mime_type(part, type) == CURLE_OK && curl_mime_encoder(part, "base64") == CURLE_OK;
}

/* The last alternative is the one that is preferred. */
static curl_mime *make_alternatives(struct mail *mail, const struct mail_message *message)
{
    curl_mime *mime = curl_mime_init(mail->curl);

    if (mime && add_part(mime, message->text, "text/plain; charset=utf-8") &&
        (!message->html || add_part(mime, message->html, "text/html; charset=utf-8")))
        return mime;
    curl_mime_free(mime);
    return NULL;
}

/* The alternatives are a part of their own: the outermost one is multipart/mixed. */
static curl_mime *make_mime(struct mail *mail, const struct mail_message *message)
{
    curl_mime *outer = curl_mime_init(mail->curl);
    curl_mimepart *part = outer ? curl_mime_addpart(outer) : NULL;
    curl_mime *inner = part ? make_alternatives(mail, message) : NULL;

    if (inner && curl_mime_subparts(part, inner) == CURLE_OK) {
        if (curl_mime_type(part, "multipart/alternative") == CURLE_OK)
            return outer;
        inner = NULL; /* it belongs to the outer one now */
    }
    curl_mime_free(inner);
    curl_mime_free(outer);
    return NULL;
}

/* ---- sending ---- */

static int mail_errno(const struct mail *mail, CURLcode code)
{
    long status = 0;

    curl_easy_getinfo(mail->curl, CURLINFO_RESPONSE_CODE, &status);
    switch (code) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return -ECONNREFUSED;
    case CURLE_LOGIN_DENIED:
        return -EACCES;
    case CURLE_ABORTED_BY_CALLBACK:
        return -ECANCELED;
    case CURLE_OUT_OF_MEMORY:
        return -ENOMEM;
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return -EPROTO;
    default:
        break;
    }
    if (status >= 400)
        return status >= 500 ? -EBADMSG : -EAGAIN;
    return code == CURLE_WEIRD_SERVER_REPLY ? -EPROTO : -EIO;
}

/* One attempt. `some` will do: recipients that the server refuses do not end it. */
static int mail_perform(struct mail *mail, bool some, CURLcode *code)
{
    mail->error[0] = '\0';
    curl_easy_setopt(mail->curl, CURLOPT_MAIL_RCPT_ALLOWFAILS, (long)some);
    *code = curl_easy_perform(mail->curl);
    return mail_errno(mail, *code);
}

static void mail_explain(const struct mail *mail, CURLcode code, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s", mail->error[0] ? mail->error : curl_easy_strerror(code));
}

/* An address that is refused for good keeps the mail from nobody else; one that may be taken later
 * makes it wait for all, so that nobody gets it twice. */
static int mail_deliver(struct mail *mail, bool several, char *error, size_t error_size)
{
    CURLcode code;
    int rc = mail_perform(mail, false, &code);

    if (rc < 0)
        mail_explain(mail, code, error, error_size);
    else
        error[0] = '\0';
    if (!several || rc != -EBADMSG || code != CURLE_SEND_ERROR) /* what RCPT fails with */
        return rc;
    rc = mail_perform(mail, true, &code);
    if (rc < 0)
        mail_explain(mail, code, error, error_size);
    return rc;
}

int mail_send(struct mail *mail, const struct mail_message *message, char *error, size_t error_size)
{
    struct curl_slist *to = NULL, *headers = NULL;
    curl_mime *mime = make_mime(mail, message);
    int rc = -ENOMEM;

    snprintf(error, error_size, "out of memory");
    if (mime && add_lines(&to, message->to) && add_lines(&headers, message->headers)) {
        curl_easy_setopt(mail->curl, CURLOPT_MAIL_FROM, message->from);
        curl_easy_setopt(mail->curl, CURLOPT_MAIL_RCPT, to);
        curl_easy_setopt(mail->curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(mail->curl, CURLOPT_MIMEPOST, mime);
        rc = mail_deliver(mail, message->to[0] && message->to[1], error, error_size);
    }
    curl_easy_setopt(mail->curl, CURLOPT_MIMEPOST, NULL);
    curl_easy_setopt(mail->curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(mail->curl, CURLOPT_MAIL_RCPT, NULL);
    curl_mime_free(mime);
    curl_slist_free_all(headers);
    curl_slist_free_all(to);
    return rc;
}

bool mail_address_valid(const char *address)
{
    const char *at = strchr(address, '@');

    if (!at || at == address || at[1] == '\0' || strchr(at + 1, '@') ||
        strlen(address) > ADDRESS_MAX)
        return false;
    for (const char *c = address; *c; c++)
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f || strchr("<>()[],;:\\\"", *c))
            return false;
    return true;
}
