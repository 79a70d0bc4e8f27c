#include "influxql.h"

/* In both kinds of token a backslash escapes itself, the quote and, as \n, the end of a line. */
static void put_quoted(struct buffer *out, char quote, const char *text)
{
    buffer_char(out, quote);
    for (; *text; text++) {
        if (*text == '\n') {
            buffer_text(out, "\\n");
            continue;
        }
        if (*text == quote || *text == '\\')
            buffer_char(out, '\\');
        buffer_char(out, *text);
    }
    buffer_char(out, quote);
}

void influxql_identifier(struct buffer *out, const char *name)
{
    put_quoted(out, '"', name);
}

void influxql_string(struct buffer *out, const char *text)
{
    put_quoted(out, '\'', text);
}

void influxql_ms(struct buffer *out, long long ms)
{
    buffer_format(out, "%lldms", ms);
}
