#include "nodelay.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

void nodelay_all(void)
{
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return; /* slower, not wrong */
    for (struct dirent *entry; (entry = readdir(directory));) {
        int on = 1;
        /* Fails for what is no TCP socket. */
        (void)setsockopt(atoi(entry->d_name), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    closedir(directory);
}
