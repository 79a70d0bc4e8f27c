/* A small file that is replaced as a whole: whoever reads it, after a power cut too, finds the old
 * text or the new one, never a part and never nothing. */
#ifndef FILE_REPLACE_H
#define FILE_REPLACE_H

#include "buffer.h"

#include <sys/types.h>

/* Writes "<path>.new", which is made afresh with `mode`, and renames it; waits for the disk before
 * and after. Returns 0 or -errno, -ENOMEM where the buffer has failed: the old file stays then,
 * unless only the last wait failed, and nothing is left beside it. */
int file_replace(const char *path, const struct buffer *text, mode_t mode);

#endif
