/* Runs a program with a text on its standard input and waits for its end, for a limited time. No
 * shell. For worker threads. */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_SAID_SIZE 200 /* bytes kept of what the program says, NUL included */

struct process_run {
    const char *const *arguments;   /* the program's path first, NULL at the end */
    const char *const *environment; /* all of it, NULL at the end */
    const void *input;
    size_t size;
    int64_t timeout_ms;
    const atomic_bool *cancelled; /* looked at several times a second */
};

struct process_end {
    int exit_code;                /* -1 where a signal ended it */
    int signal;                   /* 0 where none did */
    char said[PROCESS_SAID_SIZE]; /* the beginning of its standard error and output, one line */
};

/* Returns 0 where the program ended by itself, whatever it left running; -ETIMEDOUT or -ECANCELED
 * where it had to be ended, with all that it started; -errno where it could not be started. Input
 * that it does not read is no error. */
int process_run(const struct process_run *run, struct process_end *end);

#endif
