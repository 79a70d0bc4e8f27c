/* The leaves of the grammar: constants, fields, calls, parentheses. */
#include "expression_compiler.h"

#include <errno.h>
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

/* The rest of [[[location.]device.]measurement.]field, of which `first` was taken. */
static int reference(struct compiler *c, struct token first)
{
    struct token parts[4] = {first};
    size_t n = 1;
    while (n < 4 && compiler_accept(c, ".")) {
        if (c->token.kind != TOKEN_NAME)
            compiler_expected(c, "a name after the '.'");
        parts[n++] = compiler_take(c);
    }
    struct expression_reference out = {{0}, {0}, {0}, {0}};
    char *names[4] = {out.location, out.device, out.measurement, out.field};
    for (size_t i = 0; i < n && !c->status; i++)
        copy_name(c, &parts[i], names[4 - n + i]);
    if (c->status)
        return 0;
    int index = program_reference(c->program, c->references, &out);
    if (index == -E2BIG)
        compiler_fail(c, &first, "expected at most %d different fields", EXPRESSION_REFERENCES_MAX);
    else if (index < 0)
        compiler_fail_with(c, index, &first);
    return index;
}

static enum expression_type aspect(struct compiler *c, enum operation operation)
{
    if (c->token.kind != TOKEN_NAME)
        compiler_expected(c, "the name of a field");
    struct token name = compiler_take(c);
    compiler_emit(c, operation, (size_t)reference(c, name), 0);
    compiler_require(c, ")");
    if (operation != OP_AGE)
        return EXPRESSION_ANY;
    c->program->reads_clock = true;
    return EXPRESSION_NUMBER;
}

static void number_argument(struct compiler *c)
{
    struct token where = c->token;
    compiler_require_type(c, &where, compiler_conditional(c), EXPRESSION_NUMBER);
}

static enum expression_type of_numbers(struct compiler *c, enum operation operation)
{
    number_argument(c);
    if (operation == OP_ABS || operation == OP_ROUND) {
        compiler_emit(c, operation, 0, 1);
    } else {
        while (compiler_accept(c, ",")) {
            number_argument(c);
            compiler_emit(c, operation, 0, 2);
        }
    }
    compiler_require(c, ")");
    return EXPRESSION_NUMBER;
}

static enum expression_type if_call(struct compiler *c)
{
    struct token where = c->token;
    compiler_require_type(c, &where, compiler_conditional(c), EXPRESSION_BOOL);
    compiler_require(c, ",");
    enum expression_type type = compiler_choices(c, ",");
    compiler_require(c, ")");
    return type;
}

static enum expression_type call(struct compiler *c, struct token name)
{
    static const struct {
        const char *name;
        enum operation operation;
        enum expression_type (*rest)(struct compiler *, enum operation);
    } functions[] = {
        {"age", OP_AGE, aspect},     {"previous", OP_PREVIOUS, aspect},
        {"abs", OP_ABS, of_numbers}, {"round", OP_ROUND, of_numbers},
        {"min", OP_MIN, of_numbers}, {"max", OP_MAX, of_numbers},
    };
    if (name.length == 2 && memcmp(name.text, "if", 2) == 0)
        return if_call(c);
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (strlen(functions[i].name) == name.length &&
            memcmp(functions[i].name, name.text, name.length) == 0)
            return functions[i].rest(c, functions[i].operation);
    compiler_fail(c, &name,
                  "expected one of the functions if, min, max, abs, round, age, previous, found "
                  "'%.*s'",
                  name.length > 40 ? 40 : (int)name.length, name.text);
    return EXPRESSION_ANY;
}

static enum expression_type named(struct compiler *c)
{
    struct token name = compiler_take(c);
    if (compiler_accept(c, "("))
        return call(c, name);
    compiler_emit(c, OP_CURRENT, (size_t)reference(c, name), 0);
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
