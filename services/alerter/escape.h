/* Texts of strangers within texts of ours: each way of writing them in which they cannot end what
 * they stand in, or begin something of their own. Pure.
 *
 * JSON is jsonw.h's. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include "buffer.h"

enum escape {
    ESCAPE_NONE,     /* plain text: control characters except line ends become spaces */
    ESCAPE_LINE,     /* one line: control characters become spaces (headers, subjects) */
    ESCAPE_HTML,     /* text and quoted attribute values (HTML, section 13.1.2) */
    ESCAPE_MARKDOWN, /* punctuation is escaped (CommonMark 0.31, section 2.4), "@name" calls nobody
                      */
    ESCAPE_SLACK     /* & < > as entities: no links, no mentions (Slack, "Formatting text") */
};

void escape_text(enum escape how, const char *text, struct buffer *out);

#endif
