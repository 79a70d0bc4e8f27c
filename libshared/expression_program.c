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
    free(expression);
}

bool expression_reads_clock(const struct expression *expression)
{
    return expression->reads_clock;
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

int program_emit(struct expression *program, enum operation operation, size_t argument)
{
    if (program->n_code == EXPRESSION_CODE_MAX)
        return -E2BIG;
    if (grow((void **)&program->code, program->n_code, sizeof(*program->code)) < 0)
        return -ENOMEM;
    program->code[program->n_code++] = (struct instruction){
        .operation = (uint16_t)operation,
        .argument = (uint16_t)argument,
    };
    return 0;
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
    return strcmp(a->field, b->field) == 0 && strcmp(a->measurement, b->measurement) == 0 &&
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

int program_reference(struct expression *program, struct expression_references *references,
                      const struct expression_reference *reference)
{
    int index = find_reference(references, reference);
    if (index >= 0 && program->first_reference < 0)
        program->first_reference = index;
    return index;
}
