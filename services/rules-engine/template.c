#include "template.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum part_kind {
    PART_LITERAL,
    PART_EXPRESSION,
    PART_LOCATION,
    PART_DEVICE,
    PART_RULE,
    PART_SEVERITY
};

struct part {
    enum part_kind kind;
    char *literal;                 /* owned; of PART_LITERAL */
    struct expression *expression; /* owned; of PART_EXPRESSION */
    int decimals;                  /* -1: the shortest form */
    bool percent;
};

struct template
{
    struct part *parts; /* owned array */
    size_t n_parts;
};

void template_close(struct template *template)
{
    if (!template)
        return;
    for (size_t i = 0; i < template->n_parts; i++) {
        free(template->parts[i].literal);
        expression_close(template->parts[i].expression);
    }
    free(template->parts);
    free(template);
}

/* A part at the end, for the caller to fill; NULL where there is no memory. */
static struct part *add_part(struct template *template, enum part_kind kind)
{
    struct part *parts = realloc(template->parts, (template->n_parts + 1) * sizeof(*parts));
    if (!parts)
        return NULL;
    template->parts = parts;
    struct part *part = &parts[template->n_parts++];
    *part = (struct part){.kind = kind, .decimals = -1};
    return part;
}

static int invalid(struct expression_error *error, size_t offset, const char *text)
{
    *error = (struct expression_error){.line = 1, .column = (unsigned)offset + 1};
    snprintf(error->text, sizeof(error->text), "%s", text);
    return -EINVAL;
}

/* Text up to the next single brace, doubled ones made one. Returns bytes read, or -errno. */
static int read_literal(struct template *template, const char *text)
{
    size_t read = 0, kept = 0;
    char *literal = malloc(strlen(text) + 1);
    if (!literal)
        return -ENOMEM;
    while (text[read] && !(strchr("{}", text[read]) && text[read + 1] != text[read])) {
        read += strchr("{}", text[read]) ? 1 : 0;
        literal[kept++] = text[read++];
    }
    literal[kept] = '\0';
    struct part *part = kept ? add_part(template, PART_LITERAL) : NULL;
    if (!part) {
        free(literal);
        return kept ? -ENOMEM : (int)read;
    }
    part->literal = literal;
    return (int)read;
}

/* Length of what stands before a format such as ":.2%", which is put into `part`; `size` where
 * there is none: a ':' may as well belong to the expression. */
static size_t split_format(struct part *part, const char *text, size_t size)
{
    if (size < 4)
        return size;
    const char *format = text + size - 4;
    if (format[0] != ':' || format[1] != '.' || format[2] < '0' || format[2] > '9' ||
        (format[3] != 'f' && format[3] != '%'))
        return size;
    part->decimals = format[2] - '0';
    part->percent = format[3] == '%';
    return size - 4;
}

static enum part_kind word_kind(const char *text, size_t size)
{
    static const char *const words[] = {"location", "device", "rule", "severity"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0)
            return (enum part_kind)(PART_LOCATION + i);
    return PART_EXPRESSION;
}

/* What stands between braces, at `offset` of the whole. */
static int read_hole(struct template *template, const char *text, size_t size, size_t offset,
                     struct expression_references *references, struct expression_error *error)
{
    struct part *part = add_part(template, word_kind(text, size));
    if (!part)
        return -ENOMEM;
    if (part->kind != PART_EXPRESSION)
        return 0;
    size = split_format(part, text, size);
    int status = expression_compile(&part->expression, text, size,
                                    part->decimals < 0 ? EXPRESSION_ANY : EXPRESSION_NUMBER,
                                    references, error);
    if (status != -EINVAL || error->line != 1)
        return status;
    if (error->column <= size && text[error->column - 1] == ':')
        snprintf(error->text, sizeof(error->text),
                 "expected '}' or a format, such as :.1f or :.2%%, found '%.*s'",
                 (int)(size - error->column + 1), text + error->column - 1);
    error->column += (unsigned)offset;
    return status;
}

static int compile_parts(struct template *template, const char *text,
                         struct expression_references *references, struct expression_error *error)
{
    size_t at = 0;
    while (text[at]) {
        int read = read_literal(template, text + at);
        if (read < 0)
            return read;
        at += (size_t)read;
        if (!text[at])
            break;
        if (text[at] == '}')
            return invalid(error, at, "expected '{' before this '}', or '}}' for the brace itself");
        size_t size = strcspn(text + at + 1, "{}");
        if (text[at + 1 + size] != '}')
            return invalid(error, at, "expected '}' after this '{', or '{{' for the brace itself");
        int status = read_hole(template, text + at + 1, size, at + 1, references, error);
        if (status)
            return status;
        at += size + 2;
    }
    return 0;
}

int template_compile(struct template **out, const char *text,
                     struct expression_references *references, struct expression_error *error)
{
    *out = NULL;
    struct template *template = calloc(1, sizeof(*template));
    if (!template)
        return -ENOMEM;
    int status = compile_parts(template, text, references, error);
    if (status) {
        template_close(template);
        return status;
    }
    *out = template;
    return 0;
}

/* Digits after the point, '.' in every locale: the point is put by hand. */
static void fixed(struct buffer *out, double number, int decimals)
{
    char text[512];
    int length = snprintf(text, sizeof(text), "%.*f", decimals, number);
    if (decimals > 0)
        text[length - decimals - 1] = '.';
    buffer_text(out, text);
}

static void render_value(const struct part *part, struct value value, struct buffer *out)
{
    if (value.type == VALUE_NONE)
        buffer_text(out, "unknown");
    else if (value.type == VALUE_TEXT)
        buffer_text(out, value.text);
    else if (value.type == VALUE_BOOL)
        buffer_text(out, value.boolean ? "true" : "false");
    else if (part->decimals < 0)
        buffer_number(out, value.number);
    else if (part->percent && value.number > -1e300 && value.number < 1e300)
        fixed(out, value.number * 100, part->decimals);
    else
        fixed(out, value.number, part->decimals);
    if (value.type == VALUE_NUMBER && part->percent)
        buffer_text(out, " %");
}

void template_render(const struct template *template, const struct template_names *names,
                     expression_read_fn *read, void *self, struct buffer *out)
{
    const char *const words[] = {
        [PART_LOCATION] = names->location,
        [PART_DEVICE] = names->device,
        [PART_RULE] = names->rule,
        [PART_SEVERITY] = names->severity,
    };
    for (size_t i = 0; i < template->n_parts; i++) {
        const struct part *part = &template->parts[i];
        if (part->kind == PART_LITERAL)
            buffer_text(out, part->literal);
        else if (part->kind == PART_EXPRESSION)
            render_value(part, expression_evaluate(part->expression, read, self), out);
        else
            buffer_text(out, words[part->kind]);
    }
}
