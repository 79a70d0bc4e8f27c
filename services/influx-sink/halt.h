/* A thread's sleep, which another thread may end for good. */
#ifndef HALT_H
#define HALT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct halt {
    int fd; /* eventfd, readable once it is called */
    atomic_bool called;
};

int halt_open(struct halt *halt); /* 0 or -errno */
void halt_close(struct halt *halt);

void halt_call(struct halt *halt); /* any thread */
bool halt_called(const struct halt *halt);

/* Sleeps until `until_ms`, or for a while less, or until `also_fd` is readable (-1: no such thing).
 * False where it was called to halt. */
bool halt_sleep(const struct halt *halt, int64_t until_ms, int also_fd);

#endif
