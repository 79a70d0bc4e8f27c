#include "store_url.h"

#include <string.h>

/* RFC 3986, section 2.3: all but the unreserved characters. */
static void put_percent(struct buffer *out, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";

    for (; *text; text++) {
        if (strchr(unreserved, *text))
            buffer_char(out, *text);
        else
            buffer_format(out, "%%%02X", (unsigned char)*text);
    }
}

/* RFC 4648, section 4. */
static void put_base64(struct buffer *out, const char *text, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        unsigned group = (unsigned)(unsigned char)text[i] << 16;

        if (i + 1 < size)
            group |= (unsigned)(unsigned char)text[i + 1] << 8;
        if (i + 2 < size)
            group |= (unsigned char)text[i + 2];
        buffer_char(out, digits[group >> 18]);
        buffer_char(out, digits[group >> 12 & 63]);
        buffer_char(out, i + 1 < size ? digits[group >> 6 & 63] : '=');
        buffer_char(out, i + 2 < size ? digits[group & 63] : '=');
    }
}

void store_url_begin(struct buffer *url, const struct target_settings *settings, const char *path)
{
    size_t length = strlen(settings->url);

    while (length > 0 && settings->url[length - 1] == '/')
        length--;
    buffer_append(url, settings->url, length);
    buffer_text(url, path);
}

void store_url_parameter(struct buffer *url, char separator, const char *key, const char *value)
{
    buffer_format(url, "%c%s=", separator, key);
    put_percent(url, value);
}

void store_authorization(struct buffer *out, const struct target_settings *settings)
{
    struct buffer pair = {0};

    if (settings->token)
        buffer_format(out, "Authorization: %s %s",
                      settings->kind == TARGET_INFLUXDB3 ? "Bearer" : "Token", settings->token);
    if (settings->token || !settings->username)
        return;
    buffer_format(&pair, "%s:%s", settings->username, settings->password ? settings->password : "");
    buffer_text(out, "Authorization: Basic ");
    put_base64(out, buffer_string(&pair), pair.size);
    out->failed = out->failed || pair.failed;
    buffer_free(&pair);
}
