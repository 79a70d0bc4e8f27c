#include "jsonr_scan.h"

#include "jsonr.h"
#include "utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int scan_value(struct jsonr_scan *scan);

static int fail(struct jsonr_scan *scan, const char *problem)
{
    scan->problem = scan->at < scan->size ? problem : "the text ends too early";
    return -EBADMSG;
}

/* The byte at hand, or NUL at the end, which no rule of the grammar takes. */
static char peek(const struct jsonr_scan *scan)
{
    return scan->at < scan->size ? scan->text[scan->at] : '\0';
}

static bool take(struct jsonr_scan *scan, char c)
{
    if (scan->at >= scan->size || scan->text[scan->at] != c)
        return false;
    scan->at++;
    return true;
}

static void skip_space(struct jsonr_scan *scan)
{
    while (peek(scan) == ' ' || peek(scan) == '\t' || peek(scan) == '\n' || peek(scan) == '\r')
        scan->at++;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int scan_escape(struct jsonr_scan *scan)
{
    const char *digits;

    if (!take(scan, 'u')) {
        if (peek(scan) == '\0' || !strchr("\"\\/bfnrt", peek(scan)))
            return fail(scan, "no such escape");
        scan->at++;
        return 0;
    }
    digits = scan->text + scan->at;
    for (int i = 0; i < 4; i++, scan->at++)
        if (!is_hex(peek(scan)))
            return fail(scan, "\\u needs four hexadecimal digits");
    if (memcmp(digits, "0000", 4) == 0)
        return fail(scan, "\\u0000 is not taken");
    return 0;
}

static int scan_string(struct jsonr_scan *scan)
{
    if (!take(scan, '"'))
        return fail(scan, "a text in double quotes is expected");
    while (!take(scan, '"')) {
        size_t length = utf8_length(scan->text + scan->at, scan->size - scan->at);

        if (take(scan, '\\')) {
            int error = scan_escape(scan);

            if (error)
                return error;
            continue;
        }
        if (length == 0)
            return fail(scan, "not UTF-8");
        if ((unsigned char)peek(scan) < 0x20)
            return fail(scan, "a control character must be escaped");
        scan->at += length;
    }
    return 0;
}

static int scan_digits(struct jsonr_scan *scan)
{
    size_t from = scan->at;

    while (peek(scan) >= '0' && peek(scan) <= '9')
        scan->at++;
    return scan->at > from ? 0 : fail(scan, "a digit is expected");
}

static int scan_number(struct jsonr_scan *scan)
{
    int error = 0;

    take(scan, '-');
    if (!take(scan, '0'))
        error = scan_digits(scan);
    if (!error && take(scan, '.'))
        error = scan_digits(scan);
    if (!error && (take(scan, 'e') || take(scan, 'E'))) {
        if (!take(scan, '+'))
            take(scan, '-');
        error = scan_digits(scan);
    }
    return error;
}

static int scan_word(struct jsonr_scan *scan, const char *word)
{
    while (*word)
        if (!take(scan, *word++))
            return fail(scan, "only true, false and null stand without quotes");
    return 0;
}

static int scan_member(struct jsonr_scan *scan)
{
    int error;

    skip_space(scan);
    error = scan_string(scan);
    if (error)
        return error;
    skip_space(scan);
    if (!take(scan, ':'))
        return fail(scan, "':' is expected after a key");
    scan->n_members++;
    return scan_value(scan);
}

/* Behind the opening bracket: elements with commas between them up to `close`. */
static int scan_elements(struct jsonr_scan *scan, char close,
                         int (*scan_element)(struct jsonr_scan *))
{
    if (++scan->depth > JSONR_DEPTH_MAX)
        return fail(scan, "nested too deep");
    skip_space(scan);
    if (!take(scan, close)) {
        do {
            int error = scan_element(scan);

            if (error)
                return error;
            skip_space(scan);
        } while (take(scan, ','));
        if (!take(scan, close))
            return fail(scan, close == '}' ? "',' or '}' is expected" : "',' or ']' is expected");
    }
    scan->depth--;
    return 0;
}

static int scan_value(struct jsonr_scan *scan)
{
    skip_space(scan);
    switch (peek(scan)) {
    case '{':
        scan->at++;
        return scan_elements(scan, '}', scan_member);
    case '[':
        scan->at++;
        return scan_elements(scan, ']', scan_value);
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, "true");
    case 'f':
        return scan_word(scan, "false");
    case 'n':
        return scan_word(scan, "null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
        return scan_number(scan);
    default:
        return fail(scan, "no JSON value begins like this");
    }
}

int jsonr_scan(struct jsonr_scan *scan)
{
    int error = scan_value(scan);

    if (error)
        return error;
    skip_space(scan);
    return scan->at == scan->size ? 0 : fail(scan, "nothing may stand after the document");
}
