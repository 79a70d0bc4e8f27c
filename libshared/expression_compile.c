/* Recursive descent, one function a level of the grammar in expression.h; each emits the code of
 * what it has read and returns its type. */
#include "expression_compiler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Two values of which either may be the result. */
enum expression_type compiler_choices(struct compiler *c, const char *between)
{
    enum expression_type first = compiler_conditional(c);
    compiler_require(c, between);
    struct token where = c->token;
    enum expression_type second = compiler_conditional(c);
    compiler_require_type(c, &where, second, first);
    compiler_emit(c, OP_SELECT, 0, 3);
    return first == EXPRESSION_ANY ? second : first;
}

static enum expression_type sign(struct compiler *c)
{
    enum expression_type type = EXPRESSION_NUMBER;
    if (!compiler_enter(c))
        return type;
    if (compiler_accept(c, "-")) {
        struct token where = c->token;
        compiler_require_type(c, &where, sign(c), EXPRESSION_NUMBER);
        compiler_emit(c, OP_NEGATE, 0, 1);
    } else {
        type = compiler_primary(c);
    }
    c->nesting--;
    return type;
}

struct binary_operator {
    const char *text;
    enum operation operation;
};

static const struct binary_operator *at_one_of(const struct compiler *c,
                                               const struct binary_operator *operators)
{
    for (; operators->text; operators++)
        if (compiler_at(c, operators->text))
            return operators;
    return NULL;
}

/* operand { operator operand }, all of one type. */
static enum expression_type chain(struct compiler *c, const struct binary_operator *operators,
                                  enum expression_type (*operand)(struct compiler *),
                                  enum expression_type wanted)
{
    struct token where = c->token;
    enum expression_type type = operand(c);
    const struct binary_operator *op;
    while ((op = at_one_of(c, operators))) {
        compiler_require_type(c, &where, type, wanted);
        compiler_take(c);
        where = c->token;
        compiler_require_type(c, &where, operand(c), wanted);
        compiler_emit(c, op->operation, 0, 2);
        type = wanted;
    }
    return type;
}

static enum expression_type product(struct compiler *c)
{
    static const struct binary_operator operators[] = {
        {"*", OP_MULTIPLY}, {"/", OP_DIVIDE}, {"%", OP_REMAINDER}, {NULL, OP_NOT}};
    return chain(c, operators, sign, EXPRESSION_NUMBER);
}

static enum expression_type sum(struct compiler *c)
{
    static const struct binary_operator operators[] = {
        {"+", OP_ADD}, {"-", OP_SUBTRACT}, {NULL, OP_NOT}};
    return chain(c, operators, product, EXPRESSION_NUMBER);
}

static void in_list(struct compiler *c, enum expression_type type)
{
    unsigned n = 0;
    do {
        struct token where = c->token;
        compiler_require_type(c, &where, sum(c), type);
        n++;
    } while (compiler_accept(c, ","));
    compiler_require(c, "]");
    compiler_emit(c, OP_IN_LIST, n, n + 1);
}

static void bound(struct compiler *c)
{
    struct token where = c->token;
    compiler_require_type(c, &where, sum(c), EXPRESSION_NUMBER);
}

/* After the word `in`: low..high or [a, b, …]. */
static void in(struct compiler *c, const struct token *where, enum expression_type type)
{
    if (compiler_accept(c, "[")) {
        in_list(c, type);
        return;
    }
    compiler_require_type(c, where, type, EXPRESSION_NUMBER);
    bound(c);
    compiler_require(c, "..");
    bound(c);
    compiler_emit(c, OP_IN_RANGE, 0, 3);
}

static const struct binary_operator comparisons[] = {
    {"<", OP_LESS},   {"<=", OP_LESS_EQUAL}, {">", OP_GREATER}, {">=", OP_GREATER_EQUAL},
    {"==", OP_EQUAL}, {"!=", OP_NOT_EQUAL},  {NULL, OP_NOT}};

static enum expression_type comparison(struct compiler *c)
{
    struct token where = c->token;
    enum expression_type type = sum(c);
    const struct binary_operator *op = at_one_of(c, comparisons);
    if (op) {
        bool ordered = op->operation != OP_EQUAL && op->operation != OP_NOT_EQUAL;
        if (ordered)
            compiler_require_type(c, &where, type, EXPRESSION_NUMBER);
        compiler_take(c);
        where = c->token;
        compiler_require_type(c, &where, sum(c), ordered ? EXPRESSION_NUMBER : type);
        compiler_emit(c, op->operation, 0, 2);
    } else if (compiler_accept(c, "in")) {
        in(c, &where, type);
    } else {
        return type;
    }
    if (at_one_of(c, comparisons))
        compiler_expected(c, "'and' between two comparisons");
    return EXPRESSION_BOOL;
}

static enum expression_type negation(struct compiler *c)
{
    if (!compiler_at(c, "not"))
        return comparison(c);
    if (!compiler_enter(c))
        return EXPRESSION_BOOL;
    compiler_take(c);
    struct token where = c->token;
    compiler_require_type(c, &where, negation(c), EXPRESSION_BOOL);
    compiler_emit(c, OP_NOT, 0, 1);
    c->nesting--;
    return EXPRESSION_BOOL;
}

static enum expression_type conjunction(struct compiler *c)
{
    static const struct binary_operator operators[] = {{"and", OP_AND}, {NULL, OP_NOT}};
    return chain(c, operators, negation, EXPRESSION_BOOL);
}

static enum expression_type disjunction(struct compiler *c)
{
    static const struct binary_operator operators[] = {{"or", OP_OR}, {NULL, OP_NOT}};
    return chain(c, operators, conjunction, EXPRESSION_BOOL);
}

enum expression_type compiler_conditional(struct compiler *c)
{
    struct token where = c->token;
    enum expression_type type = disjunction(c);
    if (!compiler_at(c, "?") || !compiler_enter(c))
        return type;
    compiler_take(c);
    compiler_require_type(c, &where, type, EXPRESSION_BOOL);
    type = compiler_choices(c, ":");
    c->nesting--;
    return type;
}

static void compile_whole(struct compiler *c, enum expression_type wanted)
{
    compiler_take(c); /* the first token */
    struct token where = c->token;
    compiler_require_type(c, &where, compiler_conditional(c), wanted);
    if (c->token.kind != TOKEN_END)
        compiler_expected(c, "an operator or the end");
}

int expression_compile(struct expression **out, const char *text, size_t size,
                       enum expression_type wanted, struct expression_references *references,
                       struct expression_error *error)
{
    struct compiler c = {.references = references, .error = error};
    *error = (struct expression_error){.line = 1, .column = 1};
    *out = NULL;
    if (size > EXPRESSION_SIZE_MAX) {
        compiler_fail(&c, &(struct token){.line = 1, .column = 1}, "expected at most %d bytes",
                      EXPRESSION_SIZE_MAX);
        return c.status;
    }
    c.program = calloc(1, sizeof(*c.program));
    if (!c.program)
        return -ENOMEM;
    c.program->first_reference = -1;
    c.program->text = strndup(text, size);
    if (!c.program->text)
        c.status = -ENOMEM;
    lexer_init(&c.lexer, text, size);
    if (!c.status)
        compile_whole(&c, wanted);
    if (c.status) {
        expression_close(c.program);
        return c.status;
    }
    *out = c.program;
    return 0;
}
