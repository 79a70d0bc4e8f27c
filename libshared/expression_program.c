#include "expression_program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void expression_references_free(struct expression_references *references)
{
    free(references->items);
    *references = (struct expression_references){0};
}

void expression_close(struct expression *expression)
{
    if (!expression)
        return;
    for (size_t i = 0; i < expression->n_constants; i++)
        value_free(&expression->constants[i]);
    free(expression->constants);
    free(expression->code);
    free(expression->text);
    free(expression);
}

const char *expression_text(const struct expression *expression)
{
    return expression->text;
}

bool expression_reads_clock(const struct expression *expression)
{
    return expression->reads_clock;
}

bool expression_reads_past(const struct expression *expression)
{
    return expression->reads_past;
}

int expression_first_reference(const struct expression *expression)
{
    return expression->first_reference;
}

/* Makes room for one more: grows at 0, 8, 16, 32… items. */
static int grow(void **items, size_t n, size_t item_size)
{
    if (n != 0 && (n < 8 || (n & (n - 1)) != 0))
        return 0;
    void *larger = realloc(*items, (n < 8 ? 8 : 2 * n) * item_size);
    if (!larger)
        return -ENOMEM;
    *items = larger;
    return 0;
}

static int emit(struct expression *program, struct instruction instruction)
{
    if (program->n_code == EXPRESSION_CODE_MAX)
        return -E2BIG;
    if (grow((void **)&program->code, program->n_code, sizeof(*program->code)) < 0)
        return -ENOMEM;
    program->code[program->n_code++] = instruction;
    return 0;
}

int program_emit(struct expression *program, enum operation operation, size_t argument)
{
    return emit(program, (struct instruction){.operation = (uint8_t)operation,
                                              .argument = (uint16_t)argument});
}

int program_constant(struct expression *program, struct value constant)
{
    if (grow((void **)&program->constants, program->n_constants, sizeof(*program->constants)) < 0)
        return -ENOMEM;
    int error = program_emit(program, OP_CONSTANT, program->n_constants);
    if (error)
        return error;
    if (value_copy(&program->constants[program->n_constants], &constant) < 0)
        return -ENOMEM;
    program->n_constants++;
    return 0;
}

static bool same_reference(const struct expression_reference *a,
                           const struct expression_reference *b)
{
    return a->window == b->window && a->window_ms == b->window_ms &&
           strcmp(a->field, b->field) == 0 && strcmp(a->measurement, b->measurement) == 0 &&
           strcmp(a->device, b->device) == 0 && strcmp(a->location, b->location) == 0;
}

static int find_reference(struct expression_references *references,
                          const struct expression_reference *reference)
{
    for (size_t i = 0; i < references->n; i++)
        if (same_reference(&references->items[i], reference))
            return (int)i;
    if (references->n == EXPRESSION_REFERENCES_MAX)
        return -E2BIG;
    if (grow((void **)&references->items, references->n, sizeof(*references->items)) < 0)
        return -ENOMEM;
    references->items[references->n] = *reference;
    return (int)references->n++;
}

int program_read(struct expression *program, enum expression_aspect aspect,
                 struct expression_references *references,
                 const struct expression_reference *reference)
{
    int index = find_reference(references, reference);
    if (index < 0)
        return index;
    if (program->first_reference < 0)
        program->first_reference = index;
    program->reads_clock |= aspect == EXPRESSION_AGE;
    program->reads_past |= aspect != EXPRESSION_CURRENT && aspect != EXPRESSION_AGE;
    return emit(program, (struct instruction){.operation = OP_READ,
                                              .aspect = (uint8_t)aspect,
                                              .argument = (uint16_t)index});
}
