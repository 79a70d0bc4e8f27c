/* What an expression is compiled to: a program for a stack machine, without jumps, since nothing in
 * it has side effects. expression_compile.c writes it by way of expression_program.c,
 * expression_evaluate.c runs it. */
#ifndef EXPRESSION_PROGRAM_H
#define EXPRESSION_PROGRAM_H

#include "expression.h"

#include <stdint.h>

enum operation {
    OP_CONSTANT, /* argument: index of the constant */
    OP_READ,     /* argument: reference; of which `aspect` is taken */
    OP_NEGATE,
    OP_NOT,
    OP_ABS,
    OP_ROUND,
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_REMAINDER,
    OP_MIN,
    OP_MAX,
    OP_LESS,
    OP_LESS_EQUAL,
    OP_GREATER,
    OP_GREATER_EQUAL,
    OP_EQUAL,
    OP_NOT_EQUAL,
    OP_AND,
    OP_OR,
    OP_SELECT,   /* condition, value, value */
    OP_IN_RANGE, /* value, low, high */
    OP_IN_LIST   /* value, then `argument` members */
};

struct instruction {
    uint8_t operation; /* enum operation */
    uint8_t aspect;    /* enum expression_aspect */
    uint16_t argument;
};

struct expression {
    char *text; /* owned */
    bool reads_clock;
    bool reads_past;
    int first_reference;
    struct instruction *code; /* owned */
    size_t n_code;
    struct value *constants; /* owned, texts too */
    size_t n_constants;
};

/* Adding to a program. Texts are copied, a reference is found in or added to `references`. Return
 * 0, -ENOMEM, or -E2BIG past the bounds of expression.h. */
int program_emit(struct expression *program, enum operation operation, size_t argument);
int program_constant(struct expression *program, struct value constant);
int program_read(struct expression *program, enum expression_aspect aspect,
                 struct expression_references *references,
                 const struct expression_reference *reference);

#endif
