/* A line of a capture in the plain form in which tools write it, without spaces:
 *   {"t":ms,"topic":"…","payload":…}    with ,"retained":true or false behind the payload or not
 * Split in a tenth of the time that a JSON tree takes; any other form is left to capture.c. Part of
 * capture. Pure. */
#ifndef CAPTURE_LINE_H
#define CAPTURE_LINE_H

#include "topic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture_line {
    int64_t time_ms;
    char topic[TOPIC_SIZE];
    const char *payload; /* borrowed from the line; not looked at: only where it is JSON by itself
                            is the line what it seems to be */
    size_t size;
    bool retained;
};

/* `line` has a NUL behind its `size` bytes. False where it is not plain. */
bool capture_line_split(struct capture_line *out, const char *line, size_t size);

#endif
