#include "expression_compiler.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void compiler_fail(struct compiler *c, const struct token *where, const char *format, ...)
{
    if (c->status)
        return;
    c->status = -EINVAL;
    c->error->line = where->line;
    c->error->column = where->column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(c->error->text, sizeof(c->error->text), format, arguments);
    va_end(arguments);
    c->token.kind = TOKEN_END;
}

void compiler_fail_with(struct compiler *c, int error, const struct token *where)
{
    if (error == -E2BIG)
        compiler_fail(c, where, "expected a shorter expression");
    else if (!c->status)
        c->status = error;
    c->token.kind = TOKEN_END;
}

void compiler_expected(struct compiler *c, const char *what)
{
    int shown = c->token.length > 40 ? 40 : (int)c->token.length;
    if (c->token.kind == TOKEN_END)
        compiler_fail(c, &c->token, "expected %s, found the end", what);
    else
        compiler_fail(c, &c->token, "expected %s, found '%.*s'", what, shown, c->token.text);
}

struct token compiler_take(struct compiler *c)
{
    struct token taken = c->token;
    if (c->status)
        return taken;
    c->token = lexer_next(&c->lexer);
    if (c->token.kind == TOKEN_ERROR)
        compiler_fail(c, &c->token, "%s", c->lexer.error);
    return taken;
}

bool compiler_at(const struct compiler *c, const char *text)
{
    return c->token.kind == TOKEN_OPERATOR && strlen(text) == c->token.length &&
           memcmp(text, c->token.text, c->token.length) == 0;
}

bool compiler_accept(struct compiler *c, const char *text)
{
    if (!compiler_at(c, text))
        return false;
    compiler_take(c);
    return true;
}

void compiler_require(struct compiler *c, const char *text)
{
    char what[8];
    snprintf(what, sizeof(what), "'%s'", text);
    if (!compiler_accept(c, text))
        compiler_expected(c, what);
}

static const char *type_name(enum expression_type type)
{
    static const char *const names[] = {"a value", "true or false", "a number", "a text"};
    return names[type];
}

void compiler_require_type(struct compiler *c, const struct token *where, enum expression_type type,
                           enum expression_type wanted)
{
    if (type != wanted && type != EXPRESSION_ANY && wanted != EXPRESSION_ANY)
        compiler_fail(c, where, "expected %s, found %s", type_name(wanted), type_name(type));
}

/* `taken` values have left the stack and one has come, where adding the code went well. */
static void emitted(struct compiler *c, int error, unsigned n_taken, const struct token *where)
{
    if (error)
        compiler_fail_with(c, error, where);
    c->stack = c->stack + 1 - n_taken;
    if (c->stack > EXPRESSION_DEPTH_MAX)
        compiler_fail(c, where, "expected fewer values waiting for their operator");
}

void compiler_emit(struct compiler *c, enum operation operation, size_t argument, unsigned n_taken)
{
    if (!c->status)
        emitted(c, program_emit(c->program, operation, argument), n_taken, &c->token);
}

enum expression_type compiler_constant(struct compiler *c, struct value value,
                                       enum expression_type type, const struct token *where)
{
    if (!c->status)
        emitted(c, program_constant(c->program, value), 0, where);
    return type;
}

void compiler_read(struct compiler *c, enum expression_aspect aspect,
                   const struct expression_reference *reference, const struct token *where)
{
    if (c->status)
        return;
    bool full = c->references->n == EXPRESSION_REFERENCES_MAX;
    int error = program_read(c->program, aspect, c->references, reference);
    if (error == -E2BIG && full)
        compiler_fail(c, where, "expected at most %d different fields", EXPRESSION_REFERENCES_MAX);
    else
        emitted(c, error, 0, where);
}

bool compiler_enter(struct compiler *c)
{
    if (++c->nesting > EXPRESSION_DEPTH_MAX)
        compiler_fail(c, &c->token, "expected at most %d levels of nesting", EXPRESSION_DEPTH_MAX);
    return !c->status;
}
