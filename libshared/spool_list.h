/* Which segments a spool has, the oldest first. For spool.c. */
#ifndef SPOOL_LIST_H
#define SPOOL_LIST_H

#include "spool_segment.h"

struct spool_list {
    struct spool_segment *items; /* owned */
    size_t n, capacity;
    int64_t bytes; /* of all */
};

/* Reads the directory (a descriptor, borrowed; `path` is for the error). `repair` removes files
 * that never became segments and cuts a torn tail; what was found torn is added to `torn` either
 * way. Returns 0, -EPROTO for a foreign or newer file, -ENOMEM, -errno, with a sentence in `error`.
 */
struct spool_list_source {
    int directory;
    const char *path;
    bool repair;
    char *error;
    size_t error_size;
};
int spool_list_load(struct spool_list *list, const struct spool_list_source *source,
                    uint64_t *torn);
void spool_list_free(struct spool_list *list);

int spool_list_push(struct spool_list *list,
                    const struct spool_segment *segment);       /* 0 or -ENOMEM */
void spool_list_pop(struct spool_list *list);                   /* forgets the oldest */
struct spool_segment *spool_list_last(struct spool_list *list); /* NULL where empty */

/* The segment that holds record `number`, or else the next one after it; NULL where there is none.
 * Borrowed until the list changes. */
const struct spool_segment *spool_list_find(const struct spool_list *list, uint64_t number);

#endif
