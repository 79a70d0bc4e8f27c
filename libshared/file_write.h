/* Writes all of it, also where the kernel takes a part or a signal comes in between. Returns 0 or
 * -errno: then a part may be there. */
#ifndef FILE_WRITE_H
#define FILE_WRITE_H

#include <stddef.h>

int file_write(int fd, const void *data, size_t size);

#endif
