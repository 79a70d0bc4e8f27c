/* Reading a small file whole. */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "buffer.h"

/* Appends the file to `out`. Returns 0; -EFBIG where it has more than `max` bytes; -errno. */
int config_file_read(struct buffer *out, const char *path, size_t max);

#endif
