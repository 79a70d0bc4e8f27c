/* Cuts the text of an expression into tokens. Pure; bytes in, no allocation. */
#ifndef EXPRESSION_LEXER_H
#define EXPRESSION_LEXER_H

#include <stdbool.h>
#include <stddef.h>

enum token_kind {
    TOKEN_END,
    TOKEN_ERROR, /* `error` of the lexer says why */
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_NAME,
    TOKEN_OPERATOR /* one of the operators, brackets and words; `text` is it */
};

struct token {
    enum token_kind kind;
    const char *text; /* borrowed from the source: with a text or a `quoted name`, what is within */
    size_t length;
    double number;         /* of TOKEN_NUMBER; a time in seconds */
    bool is_time;          /* a TOKEN_NUMBER with a unit */
    unsigned line, column; /* of its first byte, from 1 */
};

struct lexer {
    const char *at, *end;
    const char *line_start;
    unsigned line;
    const char *error; /* a sentence, static */
};

/* `text` is borrowed and needs no NUL. */
void lexer_init(struct lexer *lexer, const char *text, size_t size);

/* The next token; after the end, and after an error, the same for ever. */
struct token lexer_next(struct lexer *lexer);

#endif
