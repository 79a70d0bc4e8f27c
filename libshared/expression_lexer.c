#include "expression_lexer.h"
#include "number.h"

#include <string.h>

void lexer_init(struct lexer *lexer, const char *text, size_t size)
{
    *lexer = (struct lexer){.at = text, .end = text + size, .line_start = text, .line = 1};
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_space(struct lexer *lexer)
{
    for (; lexer->at < lexer->end; lexer->at++) {
        if (*lexer->at == '\n') {
            lexer->line++;
            lexer->line_start = lexer->at + 1;
        } else if (*lexer->at != ' ' && *lexer->at != '\t' && *lexer->at != '\r') {
            return;
        }
    }
}

static struct token fail(struct lexer *lexer, struct token token, const char *error)
{
    lexer->error = error;
    lexer->at = lexer->end; /* nothing sensible follows */
    token.kind = TOKEN_ERROR;
    return token;
}

static const char *skip_digits(const char *at, const char *end)
{
    while (at < end && is_digit(*at))
        at++;
    return at;
}

/* Digits, a fraction and an exponent. A '.' that no digit follows is not ours: "20..28". */
static const char *number_end(const char *at, const char *end)
{
    at = skip_digits(at, end);
    if (end - at > 1 && *at == '.' && is_digit(at[1]))
        at = skip_digits(at + 1, end);
    if (at < end && (*at == 'e' || *at == 'E')) {
        const char *digits = at + 1;
        if (digits < end && (*digits == '+' || *digits == '-'))
            digits++;
        if (digits < end && is_digit(*digits))
            at = skip_digits(digits, end);
    }
    return at;
}

/* Seconds in a unit of time, 1 for no unit at all, 0 for a unit that is none. */
static double unit_seconds(const char *unit, size_t length)
{
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"", 1},     {"ms", 0.001}, {"s", 1},     {"m", 60},
                 {"h", 3600}, {"d", 86400},  {"w", 604800}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strlen(units[i].name) == length && memcmp(units[i].name, unit, length) == 0)
            return units[i].seconds;
    return 0;
}

static struct token number_token(struct lexer *lexer, struct token token)
{
    const char *end = number_end(lexer->at, lexer->end);
    const char *unit = end;
    while (end < lexer->end && (is_letter(*end) || is_digit(*end)))
        end++;
    double scale = unit_seconds(unit, (size_t)(end - unit));
    if (scale == 0)
        return fail(lexer, token, "a number may be followed by one of the units ms, s, m, h, d, w");
    if (number_parse(lexer->at, (size_t)(unit - lexer->at), &token.number) != 0)
        return fail(lexer, token, "this number does not fit");
    token.number *= scale;
    if (token.number > 1e308)
        return fail(lexer, token, "this number does not fit");
    token.kind = TOKEN_NUMBER;
    token.is_time = end > unit;
    token.length = (size_t)(end - lexer->at);
    lexer->at = end;
    return token;
}

/* 'text', "text" or `name`. There are no escapes: a text holds the other kind of quote as it is. */
static struct token quoted_token(struct lexer *lexer, struct token token)
{
    char quote = *lexer->at;
    const char *start = lexer->at + 1;
    const char *end = start;
    while (end < lexer->end && *end != quote && *end != '\n' && *end != '\0')
        end++;
    if (end == lexer->end || *end != quote)
        return fail(lexer, token, "this quote is not closed on its line");
    token.kind = quote == '`' ? TOKEN_NAME : TOKEN_TEXT;
    token.text = start;
    token.length = (size_t)(end - start);
    lexer->at = end + 1;
    return token;
}

static struct token word_token(struct lexer *lexer, struct token token)
{
    static const char *const words[] = {"and", "or", "not", "in", "true", "false"};
    const char *end = lexer->at;
    while (end < lexer->end && (is_letter(*end) || is_digit(*end)))
        end++;
    token.kind = TOKEN_NAME;
    token.length = (size_t)(end - lexer->at);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == token.length && memcmp(words[i], token.text, token.length) == 0)
            token.kind = TOKEN_OPERATOR;
    lexer->at = end;
    return token;
}

static struct token operator_token(struct lexer *lexer, struct token token)
{
    static const char *const operators[] = {"<=", ">=", "==", "!=", "..", "<", ">", "+", "-", "*",
                                            "/",  "%",  "(",  ")",  "[",  "]", ",", "?", ":", "."};
    size_t left = (size_t)(lexer->end - lexer->at);
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        size_t length = strlen(operators[i]);
        if (length <= left && memcmp(operators[i], lexer->at, length) == 0) {
            token.kind = TOKEN_OPERATOR;
            token.length = length;
            lexer->at += length;
            return token;
        }
    }
    if (*lexer->at == '=')
        return fail(lexer, token, "write == to compare");
    if (*lexer->at == '&' || *lexer->at == '|' || *lexer->at == '!')
        return fail(lexer, token, "write and, or, not as words");
    return fail(lexer, token, "this character has no meaning here");
}

struct token lexer_next(struct lexer *lexer)
{
    skip_space(lexer);
    struct token token = {
        .kind = lexer->error ? TOKEN_ERROR : TOKEN_END,
        .text = lexer->at,
        .line = lexer->line,
        .column = (unsigned)(lexer->at - lexer->line_start) + 1,
    };
    if (lexer->at == lexer->end)
        return token;
    if (is_digit(*lexer->at))
        return number_token(lexer, token);
    if (*lexer->at == '"' || *lexer->at == '\'' || *lexer->at == '`')
        return quoted_token(lexer, token);
    if (is_letter(*lexer->at))
        return word_token(lexer, token);
    return operator_token(lexer, token);
}
