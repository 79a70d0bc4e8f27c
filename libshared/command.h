/* Commands, their results and actuator states: contract, sections 1, 2.2 and 2.3; proto/. Pure. */
#ifndef COMMAND_H
#define COMMAND_H

#include "buffer.h"
#include "value.h"

#include <stddef.h>
#include <stdint.h>

#define COMMAND_ID_SIZE 65     /* bytes, NUL included */
#define COMMAND_SOURCE_SIZE 65 /* bytes, NUL included */
#define COMMAND_TEXT_SIZE 256  /* bytes of a text value, NUL included */

struct command {
    struct value value; /* a text points into `text` */
    char text[COMMAND_TEXT_SIZE];
    char id[COMMAND_ID_SIZE];         /* empty where the sender gave none */
    char source[COMMAND_SOURCE_SIZE]; /* empty where the sender gave none */
    int64_t ts_ms;                    /* 0 where the sender gave none */
    int64_t ttl_ms;                   /* 0 where the sender gave none */
};

/* Reads a bare value (ON, OFF, on, off, true, false, a number, any other text without control
 * characters) or an object. A bare ON or OFF, and "ON" or "OFF" in an object, are texts: what they
 * mean is the actuator's to say. Not copyable by assignment (`value` may point into it):
 * command_copy. Returns 0, or -EBADMSG with a sentence in `error`. */
int command_decode(struct command *out, const void *payload, size_t size, char *error,
                   size_t error_size);
void command_copy(struct command *out, const struct command *from);

/* Appends a command object; empty and zero members are left out. Returns 0 or -ENOMEM. */
int command_encode(const struct command *command, struct buffer *out);

enum command_outcome {
    COMMAND_OK,
    COMMAND_REJECTED,
    COMMAND_FAILED,
    COMMAND_EXPIRED,
    COMMAND_SUPERSEDED
};
const char *command_outcome_name(enum command_outcome outcome);

struct command_result {
    const char *id; /* borrowed; "" becomes null */
    enum command_outcome outcome;
    const char *reason;    /* borrowed; NULL where the outcome is ok */
    struct value value;    /* what the device holds afterwards; VALUE_NONE becomes null */
    struct value previous; /* what it held before it was written; VALUE_NONE is left out */
    struct value wanted;   /* what was asked for; likewise */
    int64_t ts_ms;
    int64_t queued_ms;   /* from arrival to the start of the write */
    int64_t took_ms;     /* from the start of the write to its confirmation */
    const char *source;  /* borrowed; NULL or "" is left out */
    const char *message; /* a sentence for people; borrowed; NULL is left out */
    bool dry_run;        /* nothing was written; left out where false */
};
int command_result_encode(const struct command_result *result,
                          struct buffer *out); /* 0 or -ENOMEM */

/* Hands the result over, everything in it borrowed for the call; an id of null becomes "". Returns
 * what `on_result` returned, -ENOMEM, or -EBADMSG with a sentence in `error`. */
typedef int command_result_fn(void *self, const struct command_result *result);
int command_result_decode(const void *payload, size_t size, command_result_fn *on_result,
                          void *self, char *error, size_t error_size);

struct command_state {
    int64_t ts_ms;
    struct value value;     /* VALUE_NONE becomes null: not known */
    const char *source;     /* borrowed; who changed it last; NULL becomes null */
    const char *command_id; /* borrowed; NULL or "" becomes null */
    bool failsafe;          /* mode "failsafe" instead of "normal" */
    bool dry_run;           /* it is never written; left out where false */
};
int command_state_encode(const struct command_state *state, struct buffer *out);

#endif
