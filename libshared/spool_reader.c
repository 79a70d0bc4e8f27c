#include "spool_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void spool_reader_init(struct spool_reader *reader, uint64_t wanted)
{
    *reader = (struct spool_reader){.window.fd = -1, .wanted = wanted};
}

static void reader_leave(struct spool_reader *reader)
{
    if (reader->window.fd >= 0)
        close(reader->window.fd);
    reader->window.fd = -1;
    reader->window.start = 0;
    reader->window.size = 0;
}

void spool_reader_free(struct spool_reader *reader)
{
    reader_leave(reader);
    spool_window_free(&reader->window);
}

int spool_reader_enter(struct spool_reader *reader, int directory,
                       const struct spool_segment *segment)
{
    int fd;

    if (reader->window.fd >= 0 && reader->segment.first == segment->first) {
        reader->segment = *segment;
        return 0;
    }
    fd = spool_segment_open(directory, segment->first, O_RDONLY);
    if (fd < 0)
        return fd;
    reader_leave(reader);
    reader->window.fd = fd;
    reader->segment = *segment;
    reader->offset = SPOOL_SEGMENT_HEADER;
    reader->number = segment->first;
    return 0;
}

void spool_reader_pass(struct spool_reader *reader, uint64_t number)
{
    if (reader->wanted >= number)
        return;
    reader->wanted = number;
    if (number >= reader->segment.end) {
        reader->number = reader->segment.end;
        reader->offset = reader->segment.bytes;
    }
}

/* The length of the record at the read position makes no sense: where the next begins is unknown.
 */
static void reader_give_up_rest(struct spool_reader *reader, uint64_t *lost)
{
    uint64_t from = reader->number > reader->wanted ? reader->number : reader->wanted;

    if (reader->segment.end > from)
        *lost += reader->segment.end - from;
    reader->number = reader->segment.end;
    reader->offset = reader->segment.bytes;
}

int spool_reader_next(struct spool_reader *reader, struct spool_record *out, uint64_t *lost)
{
    while (reader->window.fd >= 0 && reader->number < reader->segment.end) {
        bool good;
        int used;

        out->number = reader->number;
        used =
            spool_window_record(&reader->window, reader->offset, reader->segment.bytes, out, &good);
        if (used < 0 && used != -EBADMSG)
            return used;
        if (used <= 0) {
            reader_give_up_rest(reader, lost);
            break;
        }
        reader->offset += used;
        reader->number++;
        if (out->number < reader->wanted)
            continue;
        reader->wanted = reader->number;
        if (good)
            return 1;
        ++*lost;
    }
    if (reader->wanted < reader->number)
        reader->wanted = reader->number;
    return 0;
}
