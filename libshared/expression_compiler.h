/* What the descent of expression_compile.c, expression_term.c and expression_call.c stands on: the
 * token at hand, the code so far, and the first error. That one stays; after it every token is the
 * end, so that the descent unwinds by itself. */
#ifndef EXPRESSION_COMPILER_H
#define EXPRESSION_COMPILER_H

#include "expression_lexer.h"
#include "expression_program.h"

struct compiler {
    struct lexer lexer;
    struct token token; /* not yet taken */
    struct expression *program;
    struct expression_references *references;
    struct expression_error *error;
    int status;       /* 0 until the first error: -EINVAL or -ENOMEM */
    unsigned nesting; /* levels of the descent that are open */
    unsigned stack;   /* values on the evaluator's stack here */
};

void compiler_fail(struct compiler *c, const struct token *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void compiler_fail_with(struct compiler *c, int error, const struct token *where); /* -errno */
void compiler_expected(struct compiler *c, const char *what); /* "expected <what>, found <token>" */

struct token compiler_take(struct compiler *c);
bool compiler_at(const struct compiler *c, const char *text);
bool compiler_accept(struct compiler *c, const char *text);  /* takes it where it is there */
void compiler_require(struct compiler *c, const char *text); /* an error where it is not */
void compiler_require_type(struct compiler *c, const struct token *where, enum expression_type type,
                           enum expression_type wanted);

/* Counts a level of nesting; what can contain itself passes here, and lowers `nesting` when done.
 * False where that is too deep. */
bool compiler_enter(struct compiler *c);

/* Adds code that takes `n_taken` values from the stack and leaves one. */
void compiler_emit(struct compiler *c, enum operation operation, size_t argument, unsigned n_taken);
enum expression_type compiler_constant(struct compiler *c, struct value value,
                                       enum expression_type type, const struct token *where);

/* Adds code that reads a field, or a window of it. */
void compiler_read(struct compiler *c, enum expression_aspect aspect,
                   const struct expression_reference *reference, const struct token *where);

/* The descent: a whole expression; two of them of which either may be the result; a leaf; a call
 * behind `name(`; [[[location.]device.]measurement.]field, of which `first` was taken. */
enum expression_type compiler_conditional(struct compiler *c);
enum expression_type compiler_choices(struct compiler *c, const char *between);
enum expression_type compiler_primary(struct compiler *c);
enum expression_type compiler_call(struct compiler *c, const struct token *name);
struct expression_reference compiler_field(struct compiler *c, const struct token *first);

#endif
