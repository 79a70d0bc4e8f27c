/* Serial ports of this machine. The only file that knows termios. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "port.h"

/* Opened raw, without flow control, exclusive, and without the hang-up on close that resets an
 * Arduino. Returns a descriptor, or -errno: -EBUSY where another process has it, -ENOTTY, -EINVAL
 * for settings that the device refuses. */
int terminal_open(const char *path, const struct port_settings *settings);

void terminal_set_lines(int fd, bool dtr, bool rts);
void terminal_flush(int fd); /* drops what has come and was not read */

#endif
