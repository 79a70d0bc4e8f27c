#include "channel_text.h"

#include "jsonw.h"
#include "notification_json.h"
#include "notification_text.h"

#include <errno.h>

/* Bytes that each service takes at least, with room for what is around the text. */
#define SLACK_MAX 30000
#define MATTERMOST_MAX 16000
#define TEAMS_MAX 10000   /* of 28 KB, which it may count in UTF-16 */
#define TELEGRAM_MAX 4000 /* of 4096 characters */
#define NTFY_MAX 4000     /* of 4096 bytes; a longer one becomes a file */
#define GOTIFY_MAX 30000
#define TITLE_MAX 200

#define CUT "… (cut)"
#define ENTITY_MAX 6 /* bytes of "&quot;" */

/* How many of the first `max` bytes are whole characters and whole escapes. */
static size_t whole(const char *text, size_t max, enum escape how)
{
    size_t length = max, slashes = 0;

    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    while (how == ESCAPE_MARKDOWN && slashes < length && text[length - slashes - 1] == '\\')
        slashes++;
    if (how == ESCAPE_SLACK || how == ESCAPE_HTML)
        for (size_t n = 1; n < ENTITY_MAX && n <= length && text[length - n] != ';'; n++)
            if (text[length - n] == '&')
                return length - n;
    return length - slashes % 2;
}

static void cut(struct buffer *text, size_t max, enum escape how)
{
    if (text->size <= max)
        return;
    text->size = whole(text->data, max, how);
    buffer_text(text, CUT);
}

void channel_text(const struct channel_settings *settings, const struct notification *n,
                  enum escape how, size_t max, struct buffer *out)
{
    struct buffer plain = {0};

    if (settings->text) {
        template_render(settings->text, n, how, out);
    } else {
        notification_text(n, &plain);
        escape_text(how, buffer_string(&plain), out);
        out->failed |= plain.failed;
        buffer_free(&plain);
    }
    cut(out, max, how);
}

static void put_text(struct jsonw *w, const char *key, const struct buffer *text)
{
    jsonw_text(w, key, buffer_string(text));
    w->out->failed |= text->failed;
}

static void put_title(struct jsonw *w, const struct notification *n)
{
    struct buffer heading = {0}, title = {0};

    notification_heading(n, &heading);
    escape_text(ESCAPE_LINE, buffer_string(&heading), &title);
    cut(&title, TITLE_MAX, ESCAPE_LINE);
    put_text(w, "title", &title);
    w->out->failed |= heading.failed;
    buffer_free(&heading);
    buffer_free(&title);
}

/* An Adaptive Card, as Teams' Workflows take it (adaptivecards.io, schema 1.4). */
static void put_card(struct jsonw *w, const struct buffer *text)
{
    jsonw_text(w, "type", "message");
    jsonw_array_begin(w, "attachments");
    jsonw_object_begin(w, NULL);
    jsonw_text(w, "contentType", "application/vnd.microsoft.card.adaptive");
    jsonw_object_begin(w, "content");
    jsonw_text(w, "$schema", "http://adaptivecards.io/schemas/adaptive-card.json");
    jsonw_text(w, "type", "AdaptiveCard");
    jsonw_text(w, "version", "1.4");
    jsonw_array_begin(w, "body");
    jsonw_object_begin(w, NULL);
    jsonw_text(w, "type", "TextBlock");
    put_text(w, "text", text);
    jsonw_bool(w, "wrap", true);
    jsonw_object_end(w);
    jsonw_array_end(w);
    jsonw_object_end(w);
    jsonw_object_end(w);
    jsonw_array_end(w);
}

/* ntfy knows 1 to 5, Gotify 0 to 10; what is over, or in hands, is no reason to ring. */
static int64_t priority(const struct notification *n, int64_t low, int64_t middle, int64_t high)
{
    if (!notification_calls(n) || n->severity == ALERT_INFO)
        return low;
    return n->severity == ALERT_CRITICAL ? high : middle;
}

static void put_members(const struct channel_settings *settings, const struct notification *n,
                        const struct buffer *text, struct jsonw *w)
{
    switch (settings->type) {
    case CHANNEL_TEAMS:
        put_card(w, text);
        return;
    case CHANNEL_TELEGRAM: /* without parse_mode: plain text, whatever is in it */
        jsonw_text(w, "chat_id", settings->http.target);
        put_text(w, "text", text);
        jsonw_object_begin(w, "link_preview_options"); /* nothing is fetched from strangers */
        jsonw_bool(w, "is_disabled", true);
        jsonw_object_end(w);
        return;
    case CHANNEL_NTFY:
        jsonw_text(w, "topic", settings->http.target);
        put_title(w, n);
        put_text(w, "message", text);
        jsonw_integer(w, "priority", priority(n, 2, 4, 5));
        return;
    case CHANNEL_GOTIFY:
        put_title(w, n);
        put_text(w, "message", text);
        jsonw_integer(w, "priority", priority(n, 2, 5, 8));
        return;
    default:
        put_text(w, "text", text);
        return;
    }
}

static enum escape escape_of(enum channel_type type, size_t *max)
{
    static const struct {
        enum escape how;
        size_t max;
    } ways[CHANNEL_TYPES] = {
        [CHANNEL_SLACK] = {ESCAPE_SLACK, SLACK_MAX},
        [CHANNEL_MATTERMOST] = {ESCAPE_MARKDOWN, MATTERMOST_MAX},
        [CHANNEL_TEAMS] = {ESCAPE_MARKDOWN, TEAMS_MAX},
        [CHANNEL_TELEGRAM] = {ESCAPE_NONE, TELEGRAM_MAX},
        [CHANNEL_NTFY] = {ESCAPE_NONE, NTFY_MAX},
        [CHANNEL_GOTIFY] = {ESCAPE_NONE, GOTIFY_MAX},
    };

    *max = ways[type].max;
    return ways[type].how;
}

int channel_body(const struct channel_settings *settings, const struct notification *n,
                 struct buffer *out)
{
    struct jsonw w = jsonw_start(out);
    struct buffer text = {0};
    size_t max;
    enum escape how = escape_of(settings->type, &max);

    if (settings->http.body) {
        json_template_render(settings->http.body, n, out);
    } else if (max == 0) {
        notification_body(n, out);
    } else {
        channel_text(settings, n, how, max, &text);
        jsonw_object_begin(&w, NULL);
        put_members(settings, n, &text, &w);
        jsonw_object_end(&w);
        buffer_free(&text);
    }
    return out->failed ? -ENOMEM : 0;
}
