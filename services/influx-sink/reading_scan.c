#include "reading_scan.h"

#include <stdbool.h>
#include <string.h>

#define DIGITS_MAX 16 /* 2^53 has that many */
#define FOUND_MAX 512 /* readings that are remembered; in longer payloads they are found twice */

struct found {
    uint64_t seq, ts;
};

struct scan {
    const char *at, *end;
};

/* What skip_value() looks at. */
static const bool is_special[256] = {
    ['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true, [','] = true};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static char skip_space(struct scan *scan)
{
    while (scan->at < scan->end && is_space(*scan->at))
        scan->at++;
    return scan->at < scan->end ? *scan->at : '\0';
}

static bool take(struct scan *scan, char c)
{
    if (skip_space(scan) != c)
        return false;
    scan->at++;
    return true;
}

static bool skip_text(struct scan *scan)
{
    const char *at = scan->at + 1;

    while (at < scan->end && *at != '"')
        at += *at == '\\' && scan->end - at > 1 ? 2 : 1;
    scan->at = at < scan->end ? at + 1 : at;
    return at < scan->end;
}

/* A variable of its own spares the loop a store a byte. */
static void skip_plain(struct scan *scan)
{
    const char *at = scan->at;

    while (at < scan->end && !is_special[(unsigned char)*at])
        at++;
    scan->at = at;
}

/* Past one value of any kind, of which only brackets and texts are looked at. */
static bool skip_value(struct scan *scan)
{
    int depth = 0;

    for (skip_plain(scan); scan->at < scan->end; skip_plain(scan)) {
        char c = *scan->at;

        if (c == '"') {
            if (!skip_text(scan))
                return false;
            continue;
        }
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return true;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        scan->at++;
    }
    return false;
}

static bool take_number(struct scan *scan, uint64_t *out)
{
    const char *start;
    uint64_t number = 0;
    char after;

    skip_space(scan);
    for (start = scan->at; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++)
        number = 10 * number + (uint64_t)(*scan->at - '0');
    if (scan->at == start || scan->at - start > DIGITS_MAX)
        return false;
    *out = number;
    after = skip_space(scan);
    return after == ',' || after == '}';
}

static bool key_is(const char *key, size_t length, const char *name)
{
    return length == strlen(name) && memcmp(key, name, length) == 0;
}

static bool scan_member(struct scan *scan, uint64_t *seq, uint64_t *ts, unsigned *found)
{
    const char *key;
    size_t length;

    if (skip_space(scan) != '"')
        return false;
    key = scan->at + 1;
    if (!skip_text(scan))
        return false;
    length = (size_t)(scan->at - key) - 1;
    if (!take(scan, ':'))
        return false;
    if (key_is(key, length, "ts")) {
        *found |= 1;
        return take_number(scan, ts);
    }
    if (key_is(key, length, "seq")) {
        *found |= 2;
        return take_number(scan, seq);
    }
    return skip_value(scan);
}

static bool scan_object(struct scan *scan, uint64_t *seq, uint64_t *ts)
{
    unsigned found = 0;

    if (!take(scan, '{'))
        return false;
    do {
        if (!scan_member(scan, seq, ts, &found))
            return false;
    } while (take(scan, ','));
    return take(scan, '}') && found == 3;
}

/* `found` has room for the first FOUND_MAX. */
static size_t find_all(struct scan scan, struct found *found)
{
    bool array = take(&scan, '[');
    size_t n = 0;

    do {
        struct found ignored, *one = n < FOUND_MAX ? &found[n] : &ignored;

        if (!scan_object(&scan, &one->seq, &one->ts))
            return 0;
        n++;
    } while (array && take(&scan, ','));
    if (array && !take(&scan, ']'))
        return 0;
    skip_space(&scan);
    return scan.at == scan.end ? n : 0;
}

/* Of a payload that is known to be good. */
static void find_again(struct scan scan, reading_scan_fn *on_reading, void *self)
{
    struct found found;

    take(&scan, '[');
    do {
        scan_object(&scan, &found.seq, &found.ts);
        on_reading(self, found.seq, (int64_t)found.ts);
    } while (take(&scan, ','));
}

size_t reading_scan(const void *payload, size_t size, reading_scan_fn *on_reading, void *self)
{
    struct scan scan = {payload, (const char *)payload + size};
    struct found found[FOUND_MAX];
    size_t n = find_all(scan, found);

    if (on_reading && n > FOUND_MAX)
        find_again(scan, on_reading, self);
    else if (on_reading)
        for (size_t i = 0; i < n; i++)
            on_reading(self, found[i].seq, (int64_t)found[i].ts);
    return n;
}
