#include "spool_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void spool_walk_init(struct spool_walk *walk, uint64_t wanted)
{
    *walk = (struct spool_walk){.window.fd = -1, .wanted = wanted};
}

static void walk_leave(struct spool_walk *walk)
{
    if (walk->window.fd >= 0)
        close(walk->window.fd);
    walk->window.fd = -1;
    walk->window.start = 0;
    walk->window.size = 0;
}

void spool_walk_free(struct spool_walk *walk)
{
    walk_leave(walk);
    spool_window_free(&walk->window);
}

int spool_walk_enter(struct spool_walk *walk, int directory, const struct spool_segment *segment)
{
    int fd;

    if (walk->window.fd >= 0 && walk->segment.first == segment->first) {
        walk->segment = *segment;
        return 0;
    }
    fd = spool_segment_open(directory, segment->first, O_RDONLY);
    if (fd < 0)
        return fd;
    walk_leave(walk);
    walk->window.fd = fd;
    walk->segment = *segment;
    walk->offset = SPOOL_SEGMENT_HEADER;
    walk->number = segment->first;
    return 0;
}

void spool_walk_pass(struct spool_walk *walk, uint64_t number)
{
    if (walk->wanted >= number)
        return;
    walk->wanted = number;
    if (number >= walk->segment.end) {
        walk->number = walk->segment.end;
        walk->offset = walk->segment.bytes;
    }
}

/* The length of the record at the read position makes no sense: where the next begins is unknown.
 */
static void walk_give_up_rest(struct spool_walk *walk, uint64_t *lost)
{
    uint64_t from = walk->number > walk->wanted ? walk->number : walk->wanted;

    if (walk->segment.end > from)
        *lost += walk->segment.end - from;
    walk->number = walk->segment.end;
    walk->offset = walk->segment.bytes;
}

int spool_walk_next(struct spool_walk *walk, struct spool_record *out, uint64_t *lost)
{
    while (walk->window.fd >= 0 && walk->number < walk->segment.end) {
        bool good;
        int used;

        out->number = walk->number;
        used = spool_window_record(&walk->window, walk->offset, walk->segment.bytes, out, &good);
        if (used < 0 && used != -EBADMSG)
            return used;
        if (used <= 0) {
            walk_give_up_rest(walk, lost);
            break;
        }
        walk->offset += used;
        walk->number++;
        if (out->number < walk->wanted)
            continue;
        walk->wanted = walk->number;
        if (good)
            return 1;
        ++*lost;
    }
    if (walk->wanted < walk->number)
        walk->wanted = walk->number;
    return 0;
}
