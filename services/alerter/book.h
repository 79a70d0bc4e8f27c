/* The alerts that the alerter knows of, and what was last heard of each. Pure.
 *
 * What MQTT delivers a second time or too late is recognised by episode and `since`. Records are
 * bounded; which one goes when there is no room, the caller is told first: book_oldest(). */
#ifndef BOOK_H
#define BOOK_H

#include "alert.h"
#include "flap.h"
#include "topic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BOOK_MESSAGE_MAX 2048 /* bytes of an alert's message that are kept */
#define BOOK_NEVER INT64_MIN

struct book;
struct member;

struct record {
    struct topic topic; /* location, device, rule */
    enum alert_state state;
    enum alert_severity severity;
    uint64_t episode;
    int64_t since_ms;
    int64_t over_ms;    /* resolved or lost: since when, by our clock; BOOK_NEVER: never active */
    char *message;      /* owned */
    struct value value; /* owned */
    bool removed;       /* resolved, but for want of its retained message only */
    bool doubted;       /* active, and not shown by the broker since it is there again */
    bool lost;          /* stale, since nobody has announced it for too long after that */
    bool acknowledged;  /* in this episode */
    char *by, *comment; /* owned; of the acknowledgement; NULL where not given */
    struct flap flap;
    struct member *members;         /* its places in groups; the group's module's */
    struct record *previous, *next; /* in the order of change, the book's */
};

int book_open(struct book **out, size_t capacity); /* 0 or -ENOMEM */
void book_close(struct book *book);                /* NULL is ignored */

struct record *book_find(const struct book *book, const struct topic *topic);

/* The record, made where there is none: resolved, and older than anything. NULL: no memory, or no
 * room, which book_full() tells before. */
struct record *book_get(struct book *book, const struct topic *topic);
bool book_full(const struct book *book);
void book_remove(struct book *book, struct record *record); /* and frees it */

/* The first to go: the one that changed longest ago, a resolved one if there is any. */
struct record *book_oldest(const struct book *book);

/* What an alert that was heard is, as against the record. */
enum book_news {
    BOOK_OLD,     /* nothing new, or late */
    BOOK_SAME,    /* the state that it was in, with another message or value */
    BOOK_CHANGED, /* state or severity */
    BOOK_EPISODE  /* it fired anew */
};
enum book_news book_compare(const struct record *record, const struct alert *heard,
                            int64_t time_ms);

/* Writes what was heard into the record. A new episode and a graver severity forget the
 * acknowledgement, unless the alert flaps. 0 or -ENOMEM. */
int book_write(struct book *book, struct record *record, const struct alert *heard,
               int64_t time_ms);

/* What was heard is what is known: then it is not in doubt. */
void book_confirm(struct record *record, const struct alert *heard);
/* Nobody announces it any more: stale, and not to be relied on. */
void book_lose(struct book *book, struct record *record, int64_t time_ms);

/* Its retained message was deleted: it is over, but not resolved. */
void book_take_away(struct book *book, struct record *record, int64_t time_ms);

/* `by` and `comment` may be NULL. Returns 1; 0 where just that was heard before; -ENOMEM. */
int book_acknowledge(struct record *record, const char *by, const char *comment);

size_t book_size(const struct book *book);
size_t book_active(const struct book *book); /* of them, those that are not resolved */
/* All of them, each list from the oldest on: book_first(book, true), then record->next. */
struct record *book_first(const struct book *book, bool resolved);

#endif
