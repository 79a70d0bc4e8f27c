#include "spool_segment.h"

#include "crc32c.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define MAGIC "FLSPOOL1"
#define MAGIC_FAMILY 7 /* characters that all versions share */
#define NAME_DIGITS 16
#define NAME_SUFFIX ".spool"
#define NAME_SIZE (NAME_DIGITS + sizeof(NAME_SUFFIX))

static void put32(char *out, uint32_t value)
{
    value = htole32(value);
    memcpy(out, &value, sizeof(value));
}

static void put64(char *out, uint64_t value)
{
    value = htole64(value);
    memcpy(out, &value, sizeof(value));
}

static uint32_t get32(const char *data)
{
    uint32_t value;

    memcpy(&value, data, sizeof(value));
    return le32toh(value);
}

static uint64_t get64(const char *data)
{
    uint64_t value;

    memcpy(&value, data, sizeof(value));
    return le64toh(value);
}

static void segment_name(char out[NAME_SIZE], uint64_t first)
{
    snprintf(out, NAME_SIZE, "%016llx" NAME_SUFFIX, (unsigned long long)first);
}

int spool_segment_parse_name(const char *name, uint64_t *out)
{
    if (strspn(name, "0123456789abcdef") != NAME_DIGITS ||
        strcmp(name + NAME_DIGITS, NAME_SUFFIX) != 0)
        return -ENOENT;
    *out = strtoull(name, NULL, 16);
    return 0;
}

int spool_segment_open(int directory, uint64_t first, int flags)
{
    char name[NAME_SIZE];
    int fd;

    segment_name(name, first);
    fd = openat(directory, name, flags | O_CLOEXEC, 0640);
    return fd < 0 ? -errno : fd;
}

int spool_segment_remove(int directory, uint64_t first)
{
    char name[NAME_SIZE];

    segment_name(name, first);
    return unlinkat(directory, name, 0) < 0 ? -errno : 0;
}

static int write_header(int fd, uint64_t first)
{
    char header[SPOOL_SEGMENT_HEADER] = MAGIC;
    ssize_t written;

    put64(header + 8, first);
    put32(header + 16, crc32c(0, header, 16));
    written = pwrite(fd, header, sizeof(header), 0);
    if (written < 0)
        return -errno;
    return written == sizeof(header) ? 0 : -ENOSPC;
}

/* A file of that name which holds no record is what an attempt left that failed, on a disk that did
 * not let it be removed either. */
static int open_new(int directory, uint64_t first)
{
    int fd = spool_segment_open(directory, first, O_RDWR | O_CREAT);
    struct stat status;
    int error;

    if (fd < 0)
        return fd;
    if (fstat(fd, &status) < 0)
        error = -errno;
    else
        error = status.st_size > SPOOL_SEGMENT_HEADER ? -EEXIST : 0;
    if (!error)
        return fd;
    close(fd);
    return error;
}

int spool_segment_create(int directory, uint64_t first)
{
    int fd = open_new(directory, first);
    int error;

    if (fd < 0)
        return fd;
    error = write_header(fd, first);
    if (!error && fsync(directory) < 0)
        error = -errno;
    if (error) {
        close(fd);
        spool_segment_remove(directory, first);
        return error;
    }
    return fd;
}

int spool_segment_check(int fd, uint64_t first, char *error, size_t error_size)
{
    static const char zeros[SPOOL_SEGMENT_HEADER];
    char header[SPOOL_SEGMENT_HEADER];
    ssize_t size = pread(fd, header, sizeof(header), 0);
    bool ours, numbered;

    if (size < 0)
        return -errno;
    if (size < (ssize_t)sizeof(header) || memcmp(header, zeros, sizeof(zeros)) == 0)
        return -ENODATA;
    ours = memcmp(header, MAGIC, MAGIC_FAMILY) == 0;
    numbered = get64(header + 8) == first;
    if (!ours && !numbered) {
        snprintf(error, error_size, "is no spool segment: move it out of the directory");
        return -EPROTO;
    }
    /* Believed whatever the checksum says: another version may keep it elsewhere, and to mend a
     * file that one does not understand is to destroy it. */
    if (ours && header[MAGIC_FAMILY] != MAGIC[MAGIC_FAMILY]) {
        snprintf(error, error_size,
                 "is a spool segment of format '%c', this program reads '%c': use the program that "
                 "wrote it, or move it out of the directory",
                 header[MAGIC_FAMILY], MAGIC[MAGIC_FAMILY]);
        return -EPROTO;
    }
    return ours && numbered && get32(header + 16) == crc32c(0, header, 16) ? 0 : 1;
}

static uint32_t record_crc(uint64_t number, uint32_t length, const void *body)
{
    char head[12];

    put64(head, number);
    put32(head + 8, length);
    return crc32c(crc32c(0, head, sizeof(head)), body, length);
}

int spool_segment_write(int fd, const struct spool_segment *segment, const void *body, size_t size)
{
    char header[SPOOL_RECORD_HEADER];
    struct iovec parts[2] = {{header, sizeof(header)}, {(void *)(uintptr_t)body, size}};
    ssize_t written;
    int error;

    put32(header, (uint32_t)size);
    put32(header + 4, record_crc(segment->end, (uint32_t)size, body));
    do
        written = pwritev(fd, parts, 2, segment->bytes);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)(sizeof(header) + size))
        return 0;
    error = written < 0 ? -errno : -ENOSPC;
    /* Only tidies up: the next record is written at the same place, and a rest is cut at open. */
    if (ftruncate(fd, segment->bytes) < 0)
        return error;
    return error;
}

int spool_record_parse(const char *data, size_t size, uint64_t number, struct spool_record *out,
                       bool *good)
{
    uint32_t length;

    if (size < SPOOL_RECORD_HEADER)
        return 0;
    length = get32(data);
    if (length > SPOOL_RECORD_MAX)
        return -EBADMSG;
    if (size - SPOOL_RECORD_HEADER < length)
        return 0;
    out->number = number;
    out->body = data + SPOOL_RECORD_HEADER;
    out->size = length;
    *good = get32(data + 4) == record_crc(number, length, out->body);
    return (int)(SPOOL_RECORD_HEADER + length);
}

int spool_segment_scan(int fd, struct spool_segment *segment)
{
    struct spool_window window = {.fd = fd};
    struct spool_record record = {.number = segment->first};
    int64_t offset = SPOOL_SEGMENT_HEADER;
    struct stat status;
    int used = 0;

    segment->end = segment->first;
    segment->bytes = SPOOL_SEGMENT_HEADER;
    if (fstat(fd, &status) < 0)
        return -errno;
    while (offset < status.st_size) {
        bool good;

        used = spool_window_record(&window, offset, status.st_size, &record, &good);
        if (used <= 0)
            break;
        offset += used;
        record.number++;
        if (good) { /* what failed its check before a good one is skipped when it is read */
            segment->end = record.number;
            segment->bytes = offset;
        }
    }
    spool_window_free(&window);
    return used < 0 && used != -EBADMSG ? used : 0;
}
