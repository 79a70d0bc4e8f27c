#include "expression_program.h"

#include <math.h>

static const struct value unknown = {.type = VALUE_NONE};

static struct value finite_number(double number)
{
    return isfinite(number) ? value_number(number) : unknown;
}

static struct value unary(enum operation operation, struct value a)
{
    if (operation == OP_NOT)
        return a.type == VALUE_BOOL ? value_bool(!a.boolean) : unknown;
    if (a.type != VALUE_NUMBER)
        return unknown;
    switch (operation) {
    case OP_NEGATE:
        return value_number(-a.number);
    case OP_ABS:
        return value_number(fabs(a.number));
    default:
        return value_number(round(a.number));
    }
}

static struct value arithmetic(enum operation operation, double a, double b)
{
    switch (operation) {
    case OP_ADD:
        return finite_number(a + b);
    case OP_SUBTRACT:
        return finite_number(a - b);
    case OP_MULTIPLY:
        return finite_number(a * b);
    case OP_DIVIDE:
        return b == 0 ? unknown : finite_number(a / b);
    case OP_REMAINDER:
        return b == 0 ? unknown : finite_number(fmod(a, b));
    case OP_MIN:
        return value_number(a < b ? a : b);
    case OP_MAX:
        return value_number(a > b ? a : b);
    case OP_LESS:
        return value_bool(a < b);
    case OP_LESS_EQUAL:
        return value_bool(a <= b);
    case OP_GREATER:
        return value_bool(a > b);
    case OP_GREATER_EQUAL:
        return value_bool(a >= b);
    default:
        return unknown;
    }
}

/* Values of different types are not unequal: to compare them has no meaning. */
static struct value equal(struct value a, struct value b, bool wanted)
{
    if (a.type == VALUE_NONE || a.type != b.type)
        return unknown;
    return value_bool(value_equal(&a, &b) == wanted);
}

/* Kleene: the one value that decides alone (false for and, true for or) does so even beside an
 * unknown. */
static struct value logic(struct value a, struct value b, bool decisive)
{
    bool a_known = a.type == VALUE_BOOL;
    bool b_known = b.type == VALUE_BOOL;
    if ((a_known && a.boolean == decisive) || (b_known && b.boolean == decisive))
        return value_bool(decisive);
    return a_known && b_known ? value_bool(!decisive) : unknown;
}

static struct value binary(enum operation operation, struct value a, struct value b)
{
    switch (operation) {
    case OP_EQUAL:
        return equal(a, b, true);
    case OP_NOT_EQUAL:
        return equal(a, b, false);
    case OP_AND:
        return logic(a, b, false);
    case OP_OR:
        return logic(a, b, true);
    default:
        if (a.type != VALUE_NUMBER || b.type != VALUE_NUMBER)
            return unknown;
        return arithmetic(operation, a.number, b.number);
    }
}

static struct value choose(const struct value *v)
{
    if (v[0].type != VALUE_BOOL)
        return unknown;
    return v[0].boolean ? v[1] : v[2];
}

/* value >= low and value <= high, by the same logic. */
static struct value in_range(const struct value *v)
{
    return logic(binary(OP_GREATER_EQUAL, v[0], v[1]), binary(OP_LESS_EQUAL, v[0], v[2]), false);
}

static struct value in_list(const struct value *v, size_t n_members)
{
    struct value found = value_bool(false);
    for (size_t i = 1; i <= n_members; i++)
        found = logic(found, equal(v[0], v[i], true), true);
    return found;
}

/* How many values an instruction takes from the stack; each leaves one. */
static size_t n_operands(struct instruction instruction)
{
    switch (instruction.operation) {
    case OP_CONSTANT:
    case OP_READ:
        return 0;
    case OP_NEGATE:
    case OP_NOT:
    case OP_ABS:
    case OP_ROUND:
        return 1;
    case OP_SELECT:
    case OP_IN_RANGE:
        return 3;
    case OP_IN_LIST:
        return 1 + (size_t)instruction.argument;
    default:
        return 2;
    }
}

static struct value apply(struct instruction instruction, const struct value *operands)
{
    switch (instruction.operation) {
    case OP_SELECT:
        return choose(operands);
    case OP_IN_RANGE:
        return in_range(operands);
    case OP_IN_LIST:
        return in_list(operands, instruction.argument);
    case OP_NEGATE:
    case OP_NOT:
    case OP_ABS:
    case OP_ROUND:
        return unary((enum operation)instruction.operation, operands[0]);
    default:
        return binary((enum operation)instruction.operation, operands[0], operands[1]);
    }
}

struct value expression_evaluate(const struct expression *expression, expression_read_fn *read,
                                 void *self)
{
    struct value stack[EXPRESSION_DEPTH_MAX];
    size_t top = 0;
    for (size_t i = 0; i < expression->n_code; i++) {
        struct instruction instruction = expression->code[i];
        switch (instruction.operation) {
        case OP_CONSTANT:
            stack[top++] = expression->constants[instruction.argument];
            break;
        case OP_READ:
            stack[top++] =
                read(self, (enum expression_aspect)instruction.aspect, instruction.argument);
            break;
        default:
            top -= n_operands(instruction);
            stack[top] = apply(instruction, &stack[top]);
            top++;
        }
    }
    return stack[0];
}
