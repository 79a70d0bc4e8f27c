/* Calls: of a field, of a window of a field, of numbers, and if(). */
#include "expression_compiler.h"

#include <string.h>

enum call_kind { CALL_IF, CALL_NUMBER, CALL_NUMBERS, CALL_FIELD, CALL_WINDOW };

struct function {
    const char *name;
    enum call_kind kind;
    enum operation operation;      /* of numbers */
    enum expression_aspect aspect; /* of a field or a window */
};

/* min and max are two functions each: what stands between the parentheses tells which. */
static const struct function functions[] = {
    {"if", CALL_IF, OP_SELECT, 0},
    {"abs", CALL_NUMBER, OP_ABS, 0},
    {"round", CALL_NUMBER, OP_ROUND, 0},
    {"min", CALL_NUMBERS, OP_MIN, EXPRESSION_MIN},
    {"max", CALL_NUMBERS, OP_MAX, EXPRESSION_MAX},
    {"age", CALL_FIELD, OP_READ, EXPRESSION_AGE},
    {"previous", CALL_FIELD, OP_READ, EXPRESSION_PREVIOUS},
    {"rate", CALL_FIELD, OP_READ, EXPRESSION_RATE},
    {"mean", CALL_WINDOW, OP_READ, EXPRESSION_MEAN},
    {"sum", CALL_WINDOW, OP_READ, EXPRESSION_SUM},
    {"count", CALL_WINDOW, OP_READ, EXPRESSION_COUNT},
    {"stddev", CALL_WINDOW, OP_READ, EXPRESSION_STDDEV},
    {"median", CALL_WINDOW, OP_READ, EXPRESSION_MEDIAN},
    {"zscore", CALL_WINDOW, OP_READ, EXPRESSION_ZSCORE},
    {"ewma", CALL_WINDOW, OP_READ, EXPRESSION_EWMA},
};
enum { N_FUNCTIONS = sizeof(functions) / sizeof(functions[0]) };

static const struct function *find(const struct token *name)
{
    for (size_t i = 0; i < N_FUNCTIONS; i++)
        if (strlen(functions[i].name) == name->length &&
            memcmp(functions[i].name, name->text, name->length) == 0)
            return &functions[i];
    return NULL;
}

static void fail_unknown(struct compiler *c, const struct token *name)
{
    char names[160] = "";
    for (size_t i = 0; i < N_FUNCTIONS; i++) {
        strcat(names, i ? ", " : "");
        strcat(names, functions[i].name);
    }
    compiler_fail(c, name, "expected one of the functions %s, found '%.*s'", names,
                  name->length > 40 ? 40 : (int)name->length, name->text);
}

static struct expression_reference field_argument(struct compiler *c, struct token *name)
{
    if (c->token.kind != TOKEN_NAME)
        compiler_expected(c, "the name of a field");
    *name = compiler_take(c);
    return compiler_field(c, name);
}

/* previous() is whatever the field is; the others are numbers. */
static enum expression_type of_field(struct compiler *c, enum expression_aspect aspect)
{
    struct token name;
    struct expression_reference field = field_argument(c, &name);
    compiler_read(c, aspect, &field, &name);
    return aspect == EXPRESSION_PREVIOUS ? EXPRESSION_ANY : EXPRESSION_NUMBER;
}

static int64_t length_argument(struct compiler *c)
{
    if (c->token.kind != TOKEN_NUMBER || !c->token.is_time)
        compiler_expected(c, "a time, such as 30s, 10m or 1h");
    struct token time = compiler_take(c);
    double length_ms = time.number * 1000;
    if (length_ms < EXPRESSION_WINDOW_MIN_MS || length_ms > EXPRESSION_WINDOW_MAX_MS) {
        compiler_fail(c, &time, "expected a time from 10ms to 31d");
        return 0;
    }
    return (int64_t)(length_ms + 0.5);
}

static enum expression_type of_window(struct compiler *c, enum expression_aspect aspect)
{
    struct token name;
    struct expression_reference field = field_argument(c, &name);
    compiler_require(c, ",");
    field.window = aspect == EXPRESSION_EWMA ? EXPRESSION_EXPONENTIAL : EXPRESSION_SLIDING;
    field.window_ms = length_argument(c);
    compiler_read(c, aspect, &field, &name);
    return EXPRESSION_NUMBER;
}

/* Whether a field, a comma, a time and the parenthesis come next. Takes nothing. */
static bool at_window(const struct compiler *c)
{
    struct lexer lexer = c->lexer;
    struct token token = c->token;
    while (token.kind == TOKEN_NAME) {
        token = lexer_next(&lexer);
        if (token.kind != TOKEN_OPERATOR || *token.text != '.')
            break;
        token = lexer_next(&lexer);
    }
    if (c->token.kind != TOKEN_NAME || token.kind != TOKEN_OPERATOR || *token.text != ',')
        return false;
    token = lexer_next(&lexer);
    if (token.kind != TOKEN_NUMBER || !token.is_time)
        return false;
    token = lexer_next(&lexer);
    return token.kind == TOKEN_OPERATOR && *token.text == ')';
}

static void number_argument(struct compiler *c)
{
    struct token where = c->token;
    compiler_require_type(c, &where, compiler_conditional(c), EXPRESSION_NUMBER);
}

static enum expression_type of_number(struct compiler *c, enum operation operation)
{
    number_argument(c);
    compiler_emit(c, operation, 0, 1);
    return EXPRESSION_NUMBER;
}

static enum expression_type of_numbers(struct compiler *c, const struct function *function)
{
    if (at_window(c))
        return of_window(c, function->aspect);
    number_argument(c);
    while (compiler_accept(c, ",")) {
        number_argument(c);
        compiler_emit(c, function->operation, 0, 2);
    }
    return EXPRESSION_NUMBER;
}

static enum expression_type choice(struct compiler *c)
{
    struct token where = c->token;
    compiler_require_type(c, &where, compiler_conditional(c), EXPRESSION_BOOL);
    compiler_require(c, ",");
    return compiler_choices(c, ",");
}

static enum expression_type arguments(struct compiler *c, const struct function *function)
{
    switch (function->kind) {
    case CALL_IF:
        return choice(c);
    case CALL_NUMBER:
        return of_number(c, function->operation);
    case CALL_NUMBERS:
        return of_numbers(c, function);
    case CALL_FIELD:
        return of_field(c, function->aspect);
    case CALL_WINDOW:
        return of_window(c, function->aspect);
    }
    return EXPRESSION_ANY;
}

enum expression_type compiler_call(struct compiler *c, const struct token *name)
{
    const struct function *function = find(name);
    if (!function) {
        fail_unknown(c, name);
        return EXPRESSION_ANY;
    }
    enum expression_type type = arguments(c, function);
    compiler_require(c, ")");
    return type;
}
