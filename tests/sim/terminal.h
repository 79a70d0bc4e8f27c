/* Serial lines: a real one that is opened, or a pseudo-terminal that others open. On a loop. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "link.h"

/* Opens a tty, raw, 8N1, at one of the usual rates. Returns the descriptor or -errno; -EINVAL for a
 * rate that is not usual. */
int terminal_open_device(const char *path, unsigned baud);

struct terminal;

/* Makes a pseudo-terminal and, at `path`, a symbolic link to the end that others open; a link that
 * is there is replaced. Each opening by others becomes a link, on_close follows when they close it.
 * Options are copied, the path too. Returns 0 or -errno; -EEXIST where `path` is there and no link.
 */
int terminal_open(struct terminal **out, const struct link_options *options, const char *path);
void terminal_close(struct terminal *terminal); /* removes the link; NULL is ignored */

#endif
