#include "escape.h"

#include <string.h>

#define ZERO_WIDTH_SPACE "\xe2\x80\x8b" /* U+200B */

static const char *html_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

static void put_markdown(char c, struct buffer *out)
{
    if (strchr("\\`*_{}[]()<>#+-.!|~&:", c))
        buffer_char(out, '\\');
    buffer_char(out, c);
    if (c == '@')
        buffer_text(out, ZERO_WIDTH_SPACE);
}

static void put(enum escape how, char c, struct buffer *out)
{
    const char *entity = how == ESCAPE_HTML || how == ESCAPE_SLACK ? html_entity(c) : NULL;

    if (entity && (how == ESCAPE_HTML || strchr("&<>", c)))
        buffer_text(out, entity);
    else if (how == ESCAPE_MARKDOWN)
        put_markdown(c, out);
    else
        buffer_char(out, c);
}

void escape_text(enum escape how, const char *text, struct buffer *out)
{
    for (; *text; text++) {
        bool control = (unsigned char)*text < 0x20 || *text == 0x7f;

        if (control && (*text != '\n' || how == ESCAPE_LINE))
            buffer_char(out, ' ');
        else
            put(how, *text, out);
    }
}
