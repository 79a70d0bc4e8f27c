/* `serial-agent --scan`: the serial ports of this machine, as /dev and sysfs tell of them, and an
 * entry for the configuration. Opens no port: that would reset boards. */
#ifndef SCAN_H
#define SCAN_H

#include <stdio.h>

/* `root` is put before /dev and /sys: "" but in tests. Returns how many ports there are. */
int scan_ports(FILE *out, const char *root);

int scan_run(void); /* to standard output; exit code */

#endif
