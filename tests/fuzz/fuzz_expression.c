/* Any bytes as an expression and as a message: no crash, an error says where it is within the text,
 * and a program is evaluated with all kinds of values; what it gives is never a number that is not
 * finite. The first byte chooses the values, the rest is the text. */
#include "fuzz.h"
#include "template.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct value read_field(void *self, enum expression_aspect aspect, size_t reference)
{
    static const double numbers[] = {0, 1, -1, 1e308, -1e308, 5e-324, 28.5, 86400};
    unsigned choice = *(const uint8_t *)self + 7 * (unsigned)reference + (unsigned)aspect;
    switch (choice % 4) {
    case 0:
        return (struct value){.type = VALUE_NONE};
    case 1:
        return value_bool(choice & 8);
    case 2:
        return value_text(choice & 8 ? "auto" : "");
    default:
        return value_number(numbers[choice / 4 % 8]);
    }
}

static void check_error(const struct expression_error *error, size_t size)
{
    if (error->line < 1 || error->column < 1 || error->column > size + 1 || !error->text[0])
        abort();
}

static void try_expression(const uint8_t *values, const char *text, size_t size)
{
    struct expression_references references = {0};
    struct expression_error error;
    struct expression *expression;
    if (expression_compile(&expression, text, size, EXPRESSION_ANY, &references, &error) == 0) {
        struct value value = expression_evaluate(expression, read_field, (void *)(uintptr_t)values);
        if (value.type == VALUE_NUMBER && !isfinite(value.number))
            abort();
    } else {
        check_error(&error, size);
    }
    expression_close(expression);
    expression_references_free(&references);
}

static void try_message(const uint8_t *values, const char *bytes, size_t size)
{
    static const struct template_names names = {"l", "d", "r", "s"};
    struct expression_references references = {0};
    struct expression_error error;
    struct template *template;
    struct buffer out = {0};
    char *text = strndup(bytes, size);
    if (!text)
        return;
    if (template_compile(&template, text, &references, &error) == 0)
        template_render(template, &names, read_field, (void *)(uintptr_t)values, &out);
    else
        check_error(&error, strlen(text));
    buffer_free(&out);
    template_close(template);
    expression_references_free(&references);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    try_expression(data, (const char *)data + 1, size - 1);
    try_message(data, (const char *)data + 1, size - 1);
    return 0;
}
