#include "spool_segment.h"

#include "crc32c.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "FLCURS1" /* and its NUL: 8 bytes */
#define NAME "cursor.main"
#define NAME_NEW "cursor.main.new"

struct cursor {
    char magic[8];
    uint64_t number;
    uint32_t crc;
} __attribute__((packed));

int spool_cursor_load(int directory, uint64_t *out)
{
    struct cursor cursor;
    int fd = openat(directory, NAME, O_RDONLY | O_CLOEXEC);
    ssize_t size;

    if (fd < 0)
        return -errno;
    size = read(fd, &cursor, sizeof(cursor));
    close(fd);
    if (size < 0)
        return -EIO;
    if (size != sizeof(cursor) || memcmp(cursor.magic, MAGIC, sizeof(cursor.magic)) != 0 ||
        le32toh(cursor.crc) != crc32c(0, &cursor, 16))
        return -EBADMSG;
    *out = le64toh(cursor.number);
    return 0;
}

/* Not synced: an older cursor after a power cut repeats records and loses none. */
int spool_cursor_store(int directory, uint64_t number)
{
    struct cursor cursor = {.magic = MAGIC, .number = htole64(number)};
    int fd = openat(directory, NAME_NEW, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    ssize_t size;
    int error = 0;

    if (fd < 0)
        return -errno;
    cursor.crc = htole32(crc32c(0, &cursor, 16));
    size = write(fd, &cursor, sizeof(cursor));
    if (size != sizeof(cursor))
        error = size < 0 ? -errno : -ENOSPC;
    close(fd);
    if (!error && renameat(directory, NAME_NEW, directory, NAME) < 0)
        error = -errno;
    return error;
}
