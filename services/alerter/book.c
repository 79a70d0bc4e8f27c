#include "book.h"

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS "…"
#define CLOCKS_DIFFER_MS 60000 /* ours and the rules', at most */

struct chain {
    struct record *first, *last; /* the one that changed longest ago first */
    size_t n;
};

struct book {
    void *tree;             /* of records, search.h */
    struct chain chains[2]; /* active, resolved */
    size_t capacity;
};

static struct chain *chain_of(struct book *book, const struct record *record)
{
    return &book->chains[record->state == ALERT_RESOLVED];
}

static void link_last(struct book *book, struct record *record)
{
    struct chain *chain = chain_of(book, record);

    record->previous = chain->last;
    record->next = NULL;
    if (chain->last)
        chain->last->next = record;
    else
        chain->first = record;
    chain->last = record;
    chain->n++;
}

static void unlink_record(struct book *book, struct record *record)
{
    struct chain *chain = chain_of(book, record);

    if (record->previous)
        record->previous->next = record->next;
    else
        chain->first = record->next;
    if (record->next)
        record->next->previous = record->previous;
    else
        chain->last = record->previous;
    chain->n--;
}

static int compare(const void *left, const void *right)
{
    const struct topic *a = &((const struct record *)left)->topic;
    const struct topic *b = &((const struct record *)right)->topic;
    int order = strcmp(a->device, b->device);

    if (order == 0)
        order = strcmp(a->name, b->name);
    if (order == 0)
        order = strcmp(a->location, b->location);
    return order;
}

int book_open(struct book **out, size_t capacity)
{
    struct book *book = calloc(1, sizeof *book);

    if (!book)
        return -ENOMEM;
    book->capacity = capacity;
    *out = book;
    return 0;
}

static void record_free(struct record *record)
{
    if (!record)
        return;
    value_free(&record->value);
    free(record->message);
    free(record->by);
    free(record->comment);
    free(record);
}

void book_close(struct book *book)
{
    if (!book)
        return;
    for (int i = 0; i < 2; i++)
        while (book->chains[i].first)
            book_remove(book, book->chains[i].first);
    free(book);
}

struct record *book_find(const struct book *book, const struct topic *topic)
{
    struct record key = {.topic = *topic};
    struct record *const *found = tfind(&key, (void *const *)&book->tree, compare);

    return found ? *found : NULL;
}

struct record *book_get(struct book *book, const struct topic *topic)
{
    struct record *record = book_find(book, topic);

    if (record || book_full(book))
        return record;
    record = calloc(1, sizeof *record);
    if (!record)
        return NULL;
    record->topic = *topic;
    record->state = ALERT_RESOLVED;
    record->since_ms = INT64_MIN;
    record->over_ms = BOOK_NEVER;
    record->message = strdup("");
    if (!record->message || !tsearch(record, &book->tree, compare)) {
        record_free(record);
        return NULL;
    }
    link_last(book, record);
    return record;
}

bool book_full(const struct book *book)
{
    return book_size(book) >= book->capacity;
}

void book_remove(struct book *book, struct record *record)
{
    tdelete(record, &book->tree, compare);
    unlink_record(book, record);
    record_free(record);
}

struct record *book_oldest(const struct book *book)
{
    struct record *resolved = book_first(book, true);

    return resolved ? resolved : book_first(book, false);
}

/* The end of the episode that we know of. It may be dated before its beginning: then the clock of
 * the rules was set back. */
static bool is_end(const struct record *known, const struct alert *heard)
{
    return heard->episode == known->episode && heard->state == ALERT_RESOLVED &&
           known->state != ALERT_RESOLVED;
}

/* Delivered late or twice: an episode, or a state of the same one, that was over before what we
 * know of. Where that is dated in the future, the clock was set back since: dates tell nothing. */
static bool is_past(const struct record *known, const struct alert *heard, int64_t time_ms)
{
    return !is_end(known, heard) && heard->episode <= known->episode &&
           heard->since_ms < known->since_ms && known->since_ms <= time_ms + CLOCKS_DIFFER_MS;
}

/* The number alone does not tell where the rules-engine lost its memory and counts from the start
 * again. */
static bool is_new_episode(const struct record *known, const struct alert *heard)
{
    if (heard->episode != known->episode || (known->removed && heard->state != ALERT_RESOLVED))
        return true;
    return known->state == ALERT_RESOLVED && heard->state != ALERT_RESOLVED &&
           heard->since_ms > known->since_ms;
}

enum book_news book_compare(const struct record *known, const struct alert *heard, int64_t time_ms)
{
    if (is_past(known, heard, time_ms))
        return BOOK_OLD;
    if (is_new_episode(known, heard))
        return BOOK_EPISODE;
    if (heard->state != known->state || heard->severity != known->severity)
        return BOOK_CHANGED;
    return heard->since_ms == known->since_ms ? BOOK_OLD : BOOK_SAME;
}

/* A copy of at most BOOK_MESSAGE_MAX bytes that ends on a whole character and shows its cut. */
static char *copy_message(const char *message)
{
    size_t length = strlen(message);
    char *copy;

    if (length <= BOOK_MESSAGE_MAX)
        return strdup(message);
    length = BOOK_MESSAGE_MAX;
    while (length > 0 && ((unsigned char)message[length] & 0xc0) == 0x80)
        length--;
    return asprintf(&copy, "%.*s" ELLIPSIS, (int)length, message) < 0 ? NULL : copy;
}

static void forget_acknowledgement(struct record *record)
{
    free(record->by);
    free(record->comment);
    record->by = record->comment = NULL;
    record->acknowledged = false;
}

static void set_state(struct book *book, struct record *record, enum alert_state state,
                      int64_t time_ms)
{
    unlink_record(book, record);
    if (record->state != ALERT_RESOLVED && state == ALERT_RESOLVED)
        record->over_ms = time_ms;
    record->state = state;
    record->removed = record->doubted = record->lost = false;
    link_last(book, record);
}

int book_write(struct book *book, struct record *record, const struct alert *heard, int64_t time_ms)
{
    char *message = copy_message(heard->message);
    struct value value;

    if (!message || value_copy(&value, &heard->value) < 0) {
        free(message);
        return -ENOMEM;
    }
    if (!record->flap.on && (is_new_episode(record, heard) || heard->severity > record->severity))
        forget_acknowledgement(record);
    free(record->message);
    value_free(&record->value);
    record->message = message;
    record->value = value;
    record->severity = heard->severity;
    record->episode = heard->episode;
    record->since_ms = heard->since_ms;
    set_state(book, record, heard->state, time_ms);
    return 0;
}

void book_confirm(struct record *record, const struct alert *heard)
{
    if (heard->episode == record->episode && heard->state == record->state)
        record->doubted = record->lost = false;
}

void book_lose(struct book *book, struct record *record, int64_t time_ms)
{
    set_state(book, record, ALERT_STALE, time_ms);
    record->lost = true;
    record->over_ms = time_ms;
}

void book_take_away(struct book *book, struct record *record, int64_t time_ms)
{
    set_state(book, record, ALERT_RESOLVED, time_ms);
    record->removed = true;
    record->flap = (struct flap){0};
}

static bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

int book_acknowledge(struct record *record, const char *by, const char *comment)
{
    char *by_copy, *comment_copy;

    if (record->acknowledged && same_text(record->by, by) && same_text(record->comment, comment))
        return 0;
    by_copy = by ? strdup(by) : NULL;
    comment_copy = comment ? strdup(comment) : NULL;
    if ((by && !by_copy) || (comment && !comment_copy)) {
        free(by_copy);
        free(comment_copy);
        return -ENOMEM;
    }
    forget_acknowledgement(record);
    record->acknowledged = true;
    record->by = by_copy;
    record->comment = comment_copy;
    return 1;
}

size_t book_size(const struct book *book)
{
    return book->chains[0].n + book->chains[1].n;
}

size_t book_active(const struct book *book)
{
    return book->chains[0].n;
}

struct record *book_first(const struct book *book, bool resolved)
{
    return book->chains[resolved].first;
}
