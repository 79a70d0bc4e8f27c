#include "channel_settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A header that could end early would let its value add others: RFC 9110, section 5.5. */
static bool header_is_safe(const char *name, const char *value)
{
    static const char token[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";

    if (!*name || name[strspn(name, token)] != '\0')
        return false;
    for (const char *c = value; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return true;
}

static int add_header(struct http_settings *http, struct config_node *node, const char *name,
                      const char *value)
{
    size_t n = 0;
    char **grown;

    if (!header_is_safe(name, value)) {
        config_problem(node, name,
                       "no HTTP header: letters, digits and - as the name, no control "
                       "characters in the value");
        return 0;
    }
    while (http->headers && http->headers[n])
        n++;
    grown = realloc(http->headers, (n + 2) * sizeof *grown);
    if (!grown)
        return -ENOMEM;
    http->headers = grown;
    grown[n] = grown[n + 1] = NULL;
    if (asprintf(&grown[n], "%s: %s", name, value) < 0) {
        grown[n] = NULL;
        return -ENOMEM;
    }
    return 0;
}

static int add_secret(struct http_settings *http, struct config_node *node, const char *name,
                      const char *before, const char *secret)
{
    char *value;
    int rc = -ENOMEM;

    if (asprintf(&value, "%s%s", before, secret) < 0)
        return -ENOMEM;
    rc = add_header(http, node, name, value);
    explicit_bzero(value, strlen(value));
    free(value);
    return rc;
}

static int configure_headers(struct http_settings *http, struct config_node *node)
{
    struct config_node *headers = config_object(node, "headers");
    int rc = add_header(http, headers, "Content-Type", "application/json");

    for (size_t i = 0; rc == 0 && i < config_length(headers); i++) {
        const char *name = config_key(headers, i);

        rc = add_header(http, headers, name, config_string(headers, name, ""));
    }
    return rc;
}

/* What a URL needs, or where it is the secret itself, the file that it is in. */
static const char *configure_url(struct config_node *node, const char *fallback)
{
    bool in_file = config_has(node, "url_file");
    const char *key = in_file ? "url_file" : "url";
    const char *url =
        in_file ? config_secret_file(node, "url_file") : config_url(node, "url", fallback);

    if (!url)
        return ""; /* config.h has told */
    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        config_problem(node, key, "a URL such as https://host/path is needed");
    return url;
}

static int set_url(struct http_settings *http, const char *base, const char *path,
                   const char *secret, const char *end)
{
    size_t length = strlen(base);

    while (*path && length > 0 && base[length - 1] == '/')
        length--;
    if (asprintf(&http->url, "%.*s%s%s%s", (int)length, base, path, secret, end) >= 0)
        return 0;
    http->url = NULL;
    return -ENOMEM;
}

static const char *require_token(struct config_node *node)
{
    const char *token = config_secret_file(node, "token_file");

    if (!config_has(node, "token_file"))
        config_problem(node, "token_file", "is required: the file with the token");
    return token ? token : "";
}

static int configure_webhook(struct http_settings *http, struct config_node *node)
{
    const char *secret_header = config_string(node, "secret_header", "Authorization");
    const char *secret = config_secret_file(node, "secret_file");
    int rc = set_url(http, configure_url(node, ""), "", "", "");

    http->key = config_secret_file(node, "sign_key_file");
    http->key_header = config_string(node, "sign_header", "X-Signature-256");
    if (rc == 0 && secret)
        rc = add_header(http, node, secret_header, secret);
    return rc == 0 ? json_template_configure(&http->body, node, "body") : rc;
}

/* Telegram Bot API, "Making requests": https://api.telegram.org/bot<token>/METHOD_NAME. */
static int configure_telegram(struct http_settings *http, struct config_node *node)
{
    const char *token = require_token(node);

    http->target = config_require_string(node, "chat");
    if (token[strspn(token, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-")])
        config_problem(node, "token_file", "holds no token of a bot");
    return set_url(http, configure_url(node, "https://api.telegram.org"), "/bot", token,
                   "/sendMessage");
}

/* ntfy, "Publish as JSON": to the server itself, the topic within. */
static int configure_ntfy(struct http_settings *http, struct config_node *node)
{
    const char *token = config_secret_file(node, "token_file");
    int rc = set_url(http, configure_url(node, "https://ntfy.sh"), "", "", "");

    http->target = config_require_string(node, "topic");
    return rc == 0 && token ? add_secret(http, node, "Authorization", "Bearer ", token) : rc;
}

/* Gotify, "Push messages": POST /message. */
static int configure_gotify(struct http_settings *http, struct config_node *node)
{
    int rc = set_url(http, configure_url(node, ""), "/message", "", "");

    return rc == 0 ? add_secret(http, node, "X-Gotify-Key", "", require_token(node)) : rc;
}

int http_settings_configure(struct http_settings *http, enum channel_type type,
                            struct config_node *node)
{
    int rc = configure_headers(http, node);

    http->ca_file = config_string(node, "ca_file", NULL);
    if (rc < 0)
        return rc;
    switch (type) {
    case CHANNEL_WEBHOOK:
        return configure_webhook(http, node);
    case CHANNEL_TELEGRAM:
        return configure_telegram(http, node);
    case CHANNEL_NTFY:
        return configure_ntfy(http, node);
    case CHANNEL_GOTIFY:
        return configure_gotify(http, node);
    default:
        return set_url(http, configure_url(node, ""), "", "", "");
    }
}

void http_settings_free(struct http_settings *http)
{
    for (size_t i = 0; http->headers && http->headers[i]; i++) {
        explicit_bzero(http->headers[i], strlen(http->headers[i]));
        free(http->headers[i]);
    }
    free(http->headers);
    if (http->url)
        explicit_bzero(http->url, strlen(http->url));
    free(http->url);
    json_template_close(http->body);
}
