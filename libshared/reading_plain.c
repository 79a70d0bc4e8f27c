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

/* What each takes of a payload at the least, by which all find room: "a":1, and "a":"b", and
 * {"ts":1,"seq":1,"values":{}} */
#define FIELD_SIZE_MIN 6
#define FAULT_SIZE_MIN 8
#define READING_SIZE_MIN 28

struct text {
    char *begin;
    size_t length;
};

struct part {
    int64_t ts_ms;
    uint64_t seq;
    size_t n_fields, n_faults;
};

/* Over a copy of the payload with a NUL behind it, which no rule takes. Names and texts become
 * strings in it, and all readings are kept until it is known that all is plain. */
struct plain {
    char *at;
    struct reading_field *fields; /* of all readings, one after the other; owned */
    struct reading_fault *faults; /* likewise; in the same piece of memory, as are the parts */
    struct part *parts;
    size_t n_fields, n_faults, n_parts;
};

static void skip_space(struct plain *p)
{
    if (*p->at > ' ')
        return;
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
    *p->at++ = '\0';
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

/* Returns how many; `number` has them appended, which is right as long as they are few. */
static size_t take_digits(struct plain *p, uint64_t *number)
{
    const char *begin = p->at;

    for (; *p->at >= '0' && *p->at <= '9'; p->at++)
        *number = *number * 10 + (uint64_t)(*p->at - '0');
    return (size_t)(p->at - begin);
}

/* RFC 8259, section 6, without exponents and without -0. */
static bool take_number(struct plain *p, struct value *out)
{
    char *begin = p->at;
    bool negative = *p->at == '-';
    uint64_t digits = 0;
    size_t n, n_decimals = 0;
    char *whole;

    p->at += negative;
    whole = p->at;
    n = take_digits(p, &digits);
    if (n == 0 || n > DIGITS_MAX || (*whole == '0' && n > 1))
        return false;
    if (*p->at == '.') {
        p->at++;
        n_decimals = take_digits(p, &digits);
        if (n_decimals == 0 || n_decimals > DECIMALS_MAX)
            return false;
    } else if (negative && *whole == '0') {
        return false;
    }
    *out = value_number(0);
    if (n + n_decimals > NUMBER_EXACT_DIGITS)
        return number_parse(begin, (size_t)(p->at - begin), &out->number) == 0;
    out->number = number_of_digits(digits, n_decimals);
    if (negative)
        out->number = -out->number;
    return true;
}

static bool take_whole(struct plain *p, uint64_t *out)
{
    char *begin;
    size_t n;

    skip_space(p);
    begin = p->at;
    *out = 0;
    n = take_digits(p, out);
    return n > 0 && n <= DIGITS_MAX && (*begin != '0' || n == 1);
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

/* The text that is expected here, in quotes. */
static bool take_this(struct plain *p, const char *text)
{
    char *at;

    skip_space(p);
    at = p->at;
    if (*at++ != '"')
        return false;
    for (; *text; text++, at++)
        if (*at != *text)
            return false;
    if (*at != '"')
        return false;
    p->at = at + 1;
    return true;
}

static bool take_key(struct plain *p, const char *key)
{
    return take_this(p, key) && take(p, ':');
}

static bool take_new_name(struct plain *p, const char *names[], size_t n)
{
    struct text name;

    if (!take_text(p, &name) || !topic_name_valid(name.begin))
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name.begin) == 0)
            return false;
    names[n] = name.begin;
    return true;
}

static bool take_field(struct plain *p, const char *name)
{
    struct reading_field *field = &p->fields[p->n_fields++];

    field->name = name;
    return take_value(p, &field->value);
}

static bool take_fault(struct plain *p, const char *name)
{
    struct text reason;

    if (!take_text(p, &reason) || reason.length == 0 || reason.length > REASON_MAX)
        return false;
    p->faults[p->n_faults++] = (struct reading_fault){name, reason.begin};
    return true;
}

/* {"name": …, …}, each name a good one and there once, which those of another object are as long as
 * they come in the order in which they are expected. */
static bool take_members(struct plain *p, const struct reading_field *expected, size_t n_expected,
                         bool (*take_member)(struct plain *, const char *))
{
    const char *names[MEMBERS_MAX];
    size_t n = 0;

    if (!take(p, '{'))
        return false;
    if (take(p, '}'))
        return true;
    do {
        if (n == MEMBERS_MAX)
            return false;
        if (n < n_expected && take_this(p, expected[n].name))
            names[n] = expected[n].name;
        else if (take_new_name(p, names, n))
            n_expected = 0;
        else
            return false;
        if (!take(p, ':') || !take_member(p, names[n]))
            return false;
        n++;
    } while (take(p, ','));
    return take(p, '}');
}

/* The keys in the order in which all of the suite write them; mostly the names of the reading
 * before. */
static bool take_reading(struct plain *p)
{
    struct part *part = &p->parts[p->n_parts];
    size_t n_before = p->n_parts > 0 ? part[-1].n_fields : 0;
    size_t first_field = p->n_fields, first_fault = p->n_faults;
    uint64_t ts_ms;

    if (!take(p, '{') || !take_key(p, "ts") || !take_whole(p, &ts_ms) || !take(p, ',') ||
        !take_key(p, "seq") || !take_whole(p, &part->seq) || !take(p, ',') ||
        !take_key(p, "values") ||
        !take_members(p, p->fields + first_field - n_before, n_before, take_field))
        return false;
    if (take(p, ',') && (!take_key(p, "bad") || !take_members(p, NULL, 0, take_fault)))
        return false;
    if (!take(p, '}'))
        return false;
    part->ts_ms = (int64_t)ts_ms;
    part->n_fields = p->n_fields - first_field;
    part->n_faults = p->n_faults - first_fault;
    p->n_parts++;
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

static void hand_over(const struct plain *p, reading_fn *on_reading, void *self)
{
    struct reading reading = {.fields = p->fields, .faults = p->faults};

    for (size_t i = 0; i < p->n_parts; i++) {
        reading.ts_ms = p->parts[i].ts_ms;
        reading.seq = p->parts[i].seq;
        reading.n_fields = p->parts[i].n_fields;
        reading.n_faults = p->parts[i].n_faults;
        on_reading(self, &reading);
        reading.fields += reading.n_fields;
        reading.faults += reading.n_faults;
    }
}

static bool find_room(struct plain *p, size_t size)
{
    size_t n_fields = size / FIELD_SIZE_MIN + 1, n_faults = size / FAULT_SIZE_MIN + 1;
    size_t n_parts = size / READING_SIZE_MIN + 1;

    p->fields = malloc(n_fields * sizeof(*p->fields) + n_faults * sizeof(*p->faults) +
                       n_parts * sizeof(*p->parts) + size + 1);
    if (!p->fields)
        return false;
    p->faults = (struct reading_fault *)(p->fields + n_fields);
    p->parts = (struct part *)(p->faults + n_faults);
    p->at = (char *)(p->parts + n_parts);
    return true;
}

int reading_plain_decode(const void *payload, size_t size, reading_fn *on_reading, void *self)
{
    struct plain p = {0};
    bool plain;

    if (!find_room(&p, size))
        return -ENOMEM;
    memcpy(p.at, payload, size);
    p.at[size] = '\0';
    plain = take_payload(&p, p.at + size);
    if (plain)
        hand_over(&p, on_reading, self);
    free(p.fields);
    return plain;
}
