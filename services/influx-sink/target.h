/* Where points go. For one thread, which may have TARGET_POSTS posts to a target under way. */
#ifndef TARGET_H
#define TARGET_H

#include "deliver.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum target_kind {
    TARGET_INFLUXDB2, /* POST /api/v2/write?org&bucket&precision=ms */
    TARGET_INFLUXDB1, /* POST /write?db&precision=ms */
    TARGET_INFLUXDB3, /* POST /api/v3/write_lp?db&precision=millisecond */
    TARGET_FILE       /* line protocol appended to a file, on the disk before it is called stored */
};

struct target_settings { /* all borrowed */
    enum target_kind kind;
    const char *name; /* of its cursor in the spool, in the log and in health */
    const char *url;  /* http://host:port, https://…, file:///path */
    const char *org;  /* influxdb2 */
    const char *bucket;
    const char *token;            /* NULL: none */
    const char *secret_file;      /* that token or password were read from; NULL: none */
    const char *database;         /* influxdb1, influxdb3 */
    const char *retention_policy; /* "": the database's */
    const char *username;         /* NULL: none */
    const char *password;
    const char *ca_file; /* NULL: the system's */
    int64_t
        max_bytes; /* file: from this size on it becomes FILE.1, FILE.1 becomes FILE.2…; 0: never */
    unsigned keep; /* file: how many of those there may be */
    bool gzip;
    int64_t connect_timeout_ms;
    int64_t timeout_ms;
};

struct target_answer {
    struct deliver_answer result;
    char words[400]; /* the server's, or why there are none; one line of text */
};

struct target;

#define TARGET_POSTS 2

/* Returns 0 or -errno. */
int target_open(struct target **out, const struct target_settings *settings);
void target_close(struct target *target); /* ends the posts under way */

/* Begins a post in `slot`, below TARGET_POSTS and free; `lines` are borrowed until it is answered.
 */
void target_post(struct target *target, unsigned slot, const char *lines, size_t size);

/* True once, when the post in that slot has ended, and how it did. */
bool target_answered(struct target *target, unsigned slot, struct target_answer *answer);

/* Works on the posts until one has ended, one of n descriptors (HTTP_ALSO_MAX at most) is readable,
 * or that time is over; or not as long. */
void target_wait(struct target *target, struct pollfd *also, size_t n, int timeout_ms);

/* One post and its answer, when no other is under way. */
void target_send(struct target *target, const char *lines, size_t size,
                 struct target_answer *answer);

#endif
