#include "reading_plain.h"

#include "number.h"
#include "topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MEMBERS_MAX 32 /* in one object: each name is compared with those before it */
#define DIGITS_MAX 15  /* of a whole number: below 2^53 */
#define DECIMALS_MAX 25
#define REASON_MAX 64

/* Over a copy of the payload with a NUL behind it, which no rule takes. It goes over it twice: once
 * to see that all is plain, then to make strings of the names and hand over. */
struct plain {
    char *at;
    bool handing_over;
    bool failed; /* out of memory */
    struct reading reading;
    reading_fn *on_reading;
    void *self;
};

struct text {
    char *begin;
    size_t length;
};

static void skip_space(struct plain *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')
        p->at++;
}

static bool take(struct plain *p, char c)
{
    skip_space(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

static bool take_text(struct plain *p, struct text *out)
{
    if (!take(p, '"'))
        return false;
    out->begin = p->at;
    while (*p->at >= ' ' && *p->at <= '~' && *p->at != '"' && *p->at != '\\')
        p->at++;
    if (*p->at != '"')
        return false;
    out->length = (size_t)(p->at - out->begin);
    if (p->handing_over)
        *p->at = '\0';
    p->at++;
    return true;
}

static bool take_word(struct plain *p, const char *word)
{
    size_t length = strlen(word);

    if (strncmp(p->at, word, length) != 0)
        return false;
    p->at += length;
    return true;
}

static size_t skip_digits(struct plain *p)
{
    const char *begin = p->at;

    while (*p->at >= '0' && *p->at <= '9')
        p->at++;
    return (size_t)(p->at - begin);
}

/* RFC 8259, section 6, without exponents and without -0. */
static bool take_number(struct plain *p, struct value *out)
{
    char *begin = p->at;
    bool negative = *p->at == '-';
    size_t n;
    char *whole;

    p->at += negative;
    whole = p->at;
    n = skip_digits(p);
    if (n == 0 || n > DIGITS_MAX || (*whole == '0' && n > 1))
        return false;
    if (*p->at == '.') {
        p->at++;
        n = skip_digits(p);
        if (n == 0 || n > DECIMALS_MAX)
            return false;
    } else if (negative && *whole == '0') {
        return false;
    }
    *out = value_number(0);
    return !p->handing_over || number_parse(begin, (size_t)(p->at - begin), &out->number) == 0;
}

static bool take_whole(struct plain *p, uint64_t *out)
{
    char *begin;
    size_t n;

    skip_space(p);
    begin = p->at;
    n = skip_digits(p);
    if (n == 0 || n > DIGITS_MAX || (*begin == '0' && n > 1))
        return false;
    *out = 0;
    for (; begin < p->at; begin++)
        *out = *out * 10 + (uint64_t)(*begin - '0');
    return true;
}

static bool take_value(struct plain *p, struct value *out)
{
    struct text text;

    skip_space(p);
    switch (*p->at) {
    case '"':
        if (!take_text(p, &text))
            return false;
        *out = value_text(text.begin);
        return true;
    case 't':
        *out = value_bool(true);
        return take_word(p, "true");
    case 'f':
        *out = value_bool(false);
        return take_word(p, "false");
    default:
        return take_number(p, out);
    }
}

static bool is_new(const struct text *names, size_t n)
{
    const struct text *last = &names[n];

    for (size_t i = 0; i < n; i++)
        if (names[i].length == last->length &&
            memcmp(names[i].begin, last->begin, last->length) == 0)
            return false;
    return true;
}

/* As topic_name_valid(), of text without a NUL. */
static bool is_name(const struct text *text)
{
    for (size_t i = 0; i < text->length; i++) {
        char c = text->begin[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return text->length > 0 && text->length < TOPIC_NAME_SIZE;
}

static bool take_field(struct plain *p, const char *name)
{
    struct value value;

    if (!take_value(p, &value))
        return false;
    p->failed = reading_add(&p->reading, name, value) != 0;
    return !p->failed;
}

static bool take_fault(struct plain *p, const char *name)
{
    struct text reason;

    if (!take_text(p, &reason) || reason.length == 0 || reason.length > REASON_MAX)
        return false;
    p->failed = reading_add_fault(&p->reading, name, reason.begin) != 0;
    return !p->failed;
}

/* {"name": …, …}, each name a good one and there once. */
static bool take_members(struct plain *p, bool (*take_member)(struct plain *, const char *))
{
    struct text names[MEMBERS_MAX];
    size_t n = 0;

    if (!take(p, '{'))
        return false;
    if (take(p, '}'))
        return true;
    do {
        if (n == MEMBERS_MAX || !take_text(p, &names[n]) || !take(p, ':'))
            return false;
        if (!p->handing_over && (!is_name(&names[n]) || !is_new(names, n)))
            return false;
        if (!take_member(p, names[n].begin))
            return false;
        n++;
    } while (take(p, ','));
    return take(p, '}');
}

static bool take_key(struct plain *p, const char *key)
{
    struct text text;

    return take_text(p, &text) && text.length == strlen(key) &&
           memcmp(text.begin, key, text.length) == 0 && take(p, ':');
}

/* The keys in the order in which all of the suite write them. */
static bool take_reading(struct plain *p)
{
    uint64_t ts_ms, seq;

    if (!take(p, '{') || !take_key(p, "ts") || !take_whole(p, &ts_ms) || !take(p, ',') ||
        !take_key(p, "seq") || !take_whole(p, &seq) || !take(p, ',') || !take_key(p, "values"))
        return false;
    reading_reset(&p->reading, (int64_t)ts_ms, seq);
    if (!take_members(p, take_field))
        return false;
    if (take(p, ',') && (!take_key(p, "bad") || !take_members(p, take_fault)))
        return false;
    if (!take(p, '}'))
        return false;
    if (p->handing_over)
        p->on_reading(p->self, &p->reading);
    return true;
}

static bool take_payload(struct plain *p, const char *end)
{
    if (take(p, '[')) {
        do {
            if (!take_reading(p))
                return false;
        } while (take(p, ','));
        if (!take(p, ']'))
            return false;
    } else if (!take_reading(p)) {
        return false;
    }
    skip_space(p);
    return p->at == end;
}

int reading_plain_decode(const void *payload, size_t size, reading_fn *on_reading, void *self)
{
    struct plain p = {.on_reading = on_reading, .self = self};
    char *copy = malloc(size + 1);
    bool plain;

    if (!copy)
        return -ENOMEM;
    memcpy(copy, payload, size);
    copy[size] = '\0';
    p.at = copy;
    plain = take_payload(&p, copy + size);
    if (plain) {
        p.at = copy;
        p.handing_over = true;
        take_payload(&p, copy + size);
    }
    reading_free(&p.reading);
    free(copy);
    return p.failed ? -ENOMEM : plain;
}
