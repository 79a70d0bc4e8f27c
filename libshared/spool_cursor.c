#include "spool_segment.h"

#include "crc32c.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "FLCURS1" /* and its NUL: 8 bytes */
#define PREFIX "cursor."
#define SUFFIX_NEW ".new"
#define FILE_SIZE (sizeof(PREFIX) + SPOOL_READER_NAME_SIZE + sizeof(SUFFIX_NEW))

struct cursor {
    char magic[8];
    uint64_t number;
    uint32_t crc;
} __attribute__((packed));

static void file_name(char out[FILE_SIZE], const char *name, const char *suffix)
{
    snprintf(out, FILE_SIZE, PREFIX "%s%s", name, suffix);
}

int spool_cursor_load(int directory, const char *name, uint64_t *out)
{
    struct cursor cursor;
    char file[FILE_SIZE];
    ssize_t size;
    int fd;

    file_name(file, name, "");
    fd = openat(directory, file, O_RDONLY | O_CLOEXEC);
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
int spool_cursor_store(int directory, const char *name, uint64_t number)
{
    struct cursor cursor = {.magic = MAGIC, .number = htole64(number)};
    char file[FILE_SIZE], file_new[FILE_SIZE];
    ssize_t size;
    int error = 0;
    int fd;

    file_name(file, name, "");
    file_name(file_new, name, SUFFIX_NEW);
    fd = openat(directory, file_new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0)
        return -errno;
    cursor.crc = htole32(crc32c(0, &cursor, 16));
    size = write(fd, &cursor, sizeof(cursor));
    if (size != sizeof(cursor))
        error = size < 0 ? -errno : -ENOSPC;
    close(fd);
    if (!error && renameat(directory, file_new, directory, file) < 0)
        error = -errno;
    return error;
}

void spool_cursor_remove(int directory, const char *name)
{
    char file[FILE_SIZE];

    file_name(file, name, SUFFIX_NEW);
    unlinkat(directory, file, 0);
    file_name(file, name, "");
    unlinkat(directory, file, 0);
}

int spool_cursor_each(int directory, spool_cursor_fn *on_cursor, void *self)
{
    int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!entries) {
        int error = -errno;

        if (fd >= 0)
            close(fd);
        return error;
    }
    while ((entry = readdir(entries))) {
        const char *name = entry->d_name + strlen(PREFIX);

        if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0 && *name && !strchr(name, '.') &&
            strlen(name) < SPOOL_READER_NAME_SIZE)
            on_cursor(self, name);
    }
    closedir(entries);
    return 0;
}
