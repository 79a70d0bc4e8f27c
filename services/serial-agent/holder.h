/* Who has a port open, as /proc tells. */
#ifndef HOLDER_H
#define HOLDER_H

#include <stddef.h>
#include <sys/types.h>

#define HOLDER_NAME_SIZE 32

/* The first process that has the terminal at `path` open, and what it is called. Returns its id, or
 * 0 where none is seen: other users' processes show only to root. */
pid_t holder_find(const char *path, char name[HOLDER_NAME_SIZE]);

#endif
