#include "file_write.h"

#include <errno.h>
#include <unistd.h>

int file_write(int fd, const void *data, size_t size)
{
    const char *rest = data;

    while (size > 0) {
        ssize_t n = write(fd, rest, size);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            rest += n;
            size -= (size_t)n;
        }
    }
    return 0;
}
