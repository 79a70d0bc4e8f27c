/* Silences: alerts that match one are not told until it ends. By topic (contract, section 1;
 * proto/silence.schema.json) and by configuration. Pure. */
#ifndef SILENCE_H
#define SILENCE_H

#include "jsonw.h"
#include "match.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SILENCE_WHO_SIZE 257 /* bytes of 64 characters (the schema), NUL included */
#define SILENCES_MAX 1000    /* at a time */

struct silence {
    char name[TOPIC_NAME_SIZE];
    struct match match; /* texts owned */
    int64_t until_ms;   /* wall clock */
    char by[SILENCE_WHO_SIZE];
    char *comment;   /* owned; may be NULL */
    bool configured; /* it is the configuration's, not a topic's */
    bool doubted;    /* not shown by the broker since it is there again */
};

struct silences {         /* starts as `= {0}` */
    struct silence *list; /* owned array */
    size_t n;
};

void silences_free(struct silences *silences);

/* Reads the payload of root/_silence/{name}. Returns 0, -ENOMEM, or -EBADMSG with a sentence. */
int silence_decode(struct silence *out, const char *name, const void *payload, size_t size,
                   char *error, size_t error_size);
struct jsonr;
int silence_read(struct silence *out, const struct jsonr *in); /* the same, with its name in it */
int silence_copy(struct silence *out, const struct silence *from); /* 0 or -ENOMEM */
void silence_free(struct silence *silence);                        /* what it owns */

/* Takes what it owns, in place of the one of that name. Returns 0; -ENOMEM or, where there are
 * SILENCES_MAX, -ENOSPC, and then the silence stays the caller's. */
int silences_put(struct silences *silences, const struct silence *silence);
bool silences_lift(struct silences *silences, const char *name); /* whether there was one */
void silences_doubt(struct silences *silences);                  /* all of topics */
size_t silences_drop_doubted(struct silences *silences);         /* how many */
void silences_expire(struct silences *silences, int64_t time_ms);

const struct silence *silences_named(const struct silences *silences, const char *name);

/* The one that holds an alert longest; NULL where none does. Borrowed until changed. */
const struct silence *silences_find(const struct silences *silences, const struct topic *topic,
                                    enum alert_severity severity, int64_t time_ms);

/* The members of its payload, and its name: for the state file. */
void silence_write(const struct silence *silence, struct jsonw *w);

#endif
