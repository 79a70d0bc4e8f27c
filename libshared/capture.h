/* Recordings of what went over the broker, for --replay: JSON lines,
 * {"t":ms,"topic":"…","payload":…,"retained":false}. The payload is JSON as it is, or a string for
 * one that is not, or "hex":"00ff" in its place for one that is no text; `t` is the wall clock at
 * which the message came and must not go back. A line without a topic lets time pass. Unknown keys
 * are ignored. A payload that is an object or an array is handed over as it stands in the line, so
 * that one that is no JSON is told only where somebody reads it. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct capture_message {
    int64_t time_ms;
    const char *topic;   /* NULL: nothing came */
    const void *payload; /* all borrowed for the call */
    size_t size;
    bool retained;
};

/* Returns 0; -EBADMSG with a sentence in `error` for a message that cannot be used and of which
 * nothing was: it may come once more, read in another way, before that is told and passed over.
 * Another error ends the replay. */
typedef int capture_fn(void *self, const struct capture_message *message, char *error,
                       size_t error_size);

struct capture {
    FILE *file;
    const char *name; /* of the file, for what is told on `errors` */
    FILE *errors;
    int (*on_line)(void *self); /* after each line; what is not 0 ends the replay. NULL: nothing */
    void *self;
};

/* Hands over each line. Returns 0; -EBADMSG with the line and what is wrong told on `errors`;
 * -ENOMEM, -EIO, or what `on_message` returned. */
int capture_run(const struct capture *capture, capture_fn *on_message, void *self);

/* A service's --replay CAPTURE [--expect FILE]: prints what `replay` appends to `out`, from which
 * it is taken now and then, or, where a file of what is expected is given, the lines in which it
 * differs. Returns the exit code, which is 1 for a difference. */
struct service_arguments;
typedef int capture_replay_fn(const void *settings, const struct capture *capture,
                              struct buffer *out);
int capture_tool(const struct service_arguments *arguments, capture_replay_fn *replay,
                 const void *settings);

#endif
