/* The leaves of the grammar: constants, fields, parentheses. */
#include "expression_compiler.h"

#include <string.h>

static enum expression_type text_constant(struct compiler *c)
{
    struct token token = compiler_take(c);
    char text[EXPRESSION_SIZE_MAX + 1];
    memcpy(text, token.text, token.length);
    text[token.length] = '\0';
    return compiler_constant(c, value_text(text), EXPRESSION_TEXT, &token);
}

static void copy_name(struct compiler *c, const struct token *name, char out[TOPIC_NAME_SIZE])
{
    if (name->length == 0 || name->length >= TOPIC_NAME_SIZE) {
        compiler_fail(c, name, "expected a name of 1 to %d characters", TOPIC_NAME_SIZE - 1);
        return;
    }
    memcpy(out, name->text, name->length);
    out[name->length] = '\0';
}

struct expression_reference compiler_field(struct compiler *c, const struct token *first)
{
    struct token parts[4] = {*first};
    size_t n = 1;
    while (n < 4 && compiler_accept(c, ".")) {
        if (c->token.kind != TOKEN_NAME)
            compiler_expected(c, "a name after the '.'");
        parts[n++] = compiler_take(c);
    }
    struct expression_reference out = {.window = EXPRESSION_NO_WINDOW};
    char *names[4] = {out.location, out.device, out.measurement, out.field};
    for (size_t i = 0; i < n && !c->status; i++)
        copy_name(c, &parts[i], names[4 - n + i]);
    return out;
}

static enum expression_type named(struct compiler *c)
{
    struct token name = compiler_take(c);
    if (compiler_accept(c, "("))
        return compiler_call(c, &name);
    struct expression_reference field = compiler_field(c, &name);
    compiler_read(c, EXPRESSION_CURRENT, &field, &name);
    return EXPRESSION_ANY;
}

enum expression_type compiler_primary(struct compiler *c)
{
    struct token where = c->token;
    if (where.kind == TOKEN_NUMBER) {
        compiler_take(c);
        return compiler_constant(c, value_number(where.number), EXPRESSION_NUMBER, &where);
    }
    if (where.kind == TOKEN_TEXT)
        return text_constant(c);
    if (where.kind == TOKEN_NAME)
        return named(c);
    if (compiler_accept(c, "true"))
        return compiler_constant(c, value_bool(true), EXPRESSION_BOOL, &where);
    if (compiler_accept(c, "false"))
        return compiler_constant(c, value_bool(false), EXPRESSION_BOOL, &where);
    enum expression_type type = EXPRESSION_ANY;
    if (compiler_accept(c, "(")) {
        type = compiler_conditional(c);
        compiler_require(c, ")");
    } else {
        compiler_expected(c, "a number, a text, a name or '('");
    }
    return type;
}
