#include "template.h"

#include "template_field.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NESTED_MAX 8

enum part_kind { PART_LITERAL, PART_FIELD, PART_PLURAL, PART_EACH, PART_IF, PART_END };

struct part {
    enum part_kind kind;
    int field;        /* of a field, plural, if; of each: the state to show, or -1 */
    size_t end;       /* of each, if: the place of its end */
    const char *text; /* of a literal, and of a plural's "one"; within the template's own text */
    size_t length;
    const char *many; /* of a plural */
    size_t many_length;
};

struct template
{
    char *text;         /* owned */
    struct part *parts; /* owned array */
    size_t n_parts;
};

struct compiler {
    struct template *template;
    size_t open[NESTED_MAX]; /* places of each and if without their end */
    unsigned depth;
    bool in_each;
    char *error;
    size_t error_size;
};

static int fail(const struct compiler *compiler, const char *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(const struct compiler *compiler, const char *at, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(compiler->error, compiler->error_size, format, arguments);
    va_end(arguments);
    if (length >= 0 && (size_t)length < compiler->error_size)
        snprintf(compiler->error + length, compiler->error_size - (size_t)length, ", at byte %zu",
                 (size_t)(at - compiler->template->text) + 1);
    return -EINVAL;
}

static int add(struct template *template, const struct part *part)
{
    struct part *grown =
        realloc(template->parts, (template->n_parts + 1) * sizeof *template->parts);

    if (!grown)
        return -ENOMEM;
    template->parts = grown;
    grown[template->n_parts++] = *part;
    return 0;
}

/* Returns the length of the literal that begins here, its doubled braces included. */
static size_t literal_length(const char *text)
{
    size_t length = 0;

    while (text[length]) {
        char c = text[length];

        if ((c == '{' || c == '}') && text[length + 1] != c)
            break;
        length += c == '{' || c == '}' ? 2 : 1;
    }
    return length;
}

static int compile_field(struct compiler *compiler, enum part_kind kind, const char *name,
                         size_t length)
{
    struct part part = {.kind = kind, .field = template_field_find(name, length)};

    if (part.field < 0)
        return fail(compiler, name, "there is no field \"%.*s\"", (int)length, name);
    return add(compiler->template, &part);
}

static int open_block(struct compiler *compiler, const char *at)
{
    if (compiler->depth == NESTED_MAX)
        return fail(compiler, at, "more than %d blocks within each other", NESTED_MAX);
    compiler->open[compiler->depth++] = compiler->template->n_parts;
    return 0;
}

static int compile_if(struct compiler *compiler, const char *name, size_t length)
{
    int rc = open_block(compiler, name);

    return rc < 0 ? rc : compile_field(compiler, PART_IF, name, length);
}

static int compile_each(struct compiler *compiler, const char *state, size_t length)
{
    struct part part = {.kind = PART_EACH, .field = -1};
    int rc;

    if (compiler->in_each)
        return fail(compiler, state, "{each} within {each}");
    for (int i = 0; length > 0 && i < ITEM_STATES; i++)
        if (strlen(item_state_name((enum item_state)i)) == length &&
            memcmp(item_state_name((enum item_state)i), state, length) == 0)
            part.field = i;
    if (length > 0 && part.field < 0)
        return fail(compiler, state, "there is no state \"%.*s\"", (int)length, state);
    rc = open_block(compiler, state);
    compiler->in_each = true;
    return rc < 0 ? rc : add(compiler->template, &part);
}

static int compile_end(struct compiler *compiler, const char *at)
{
    const struct part end = {.kind = PART_END};
    struct part *begun;

    if (compiler->depth == 0)
        return fail(compiler, at, "{end} of nothing");
    begun = &compiler->template->parts[compiler->open[--compiler->depth]];
    begun->end = compiler->template->n_parts;
    if (begun->kind == PART_EACH)
        compiler->in_each = false;
    return add(compiler->template, &end);
}

/* "field|one|many" */
static int compile_plural(struct compiler *compiler, const char *text, size_t length)
{
    const char *first = memchr(text, '|', length), *second;
    struct part part = {.kind = PART_PLURAL};
    const struct notification none = {0};
    uint64_t unused;

    second = first ? memchr(first + 1, '|', length - (size_t)(first + 1 - text)) : NULL;
    if (!second)
        return fail(compiler, text, "{plural:field|one|many} is meant");
    part.field = template_field_find(text, (size_t)(first - text));
    if (part.field < 0 || !template_field_count(part.field, &none, &unused))
        return fail(compiler, text, "there is no count \"%.*s\"", (int)(first - text), text);
    part.text = first + 1;
    part.length = (size_t)(second - part.text);
    part.many = second + 1;
    part.many_length = (size_t)(text + length - part.many);
    return add(compiler->template, &part);
}

static bool begins(const char *text, size_t length, const char *word)
{
    return length >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

/* What stands between braces. */
static int compile_tag(struct compiler *compiler, const char *text, size_t length)
{
    if (length == 3 && begins(text, length, "end"))
        return compile_end(compiler, text);
    if (length == 4 && begins(text, length, "each"))
        return compile_each(compiler, text, 0);
    if (begins(text, length, "each:"))
        return compile_each(compiler, text + 5, length - 5);
    if (begins(text, length, "if:"))
        return compile_if(compiler, text + 3, length - 3);
    if (begins(text, length, "plural:"))
        return compile_plural(compiler, text + 7, length - 7);
    return compile_field(compiler, PART_FIELD, text, length);
}

static int compile(struct compiler *compiler)
{
    const char *at = compiler->template->text;

    while (*at) {
        size_t length = literal_length(at);
        const struct part literal = {.kind = PART_LITERAL, .text = at, .length = length};
        int rc = length ? add(compiler->template, &literal) : 0;

        at += length;
        if (rc < 0 || !*at)
            return rc;
        if (*at == '}')
            return fail(compiler, at, "'}' without '{' before it; '}}' is the brace itself");
        length = strcspn(at + 1, "{}");
        if (at[1 + length] != '}')
            return fail(compiler, at, "'{' without '}' behind it; '{{' is the brace itself");
        rc = compile_tag(compiler, at + 1, length);
        if (rc < 0)
            return rc;
        at += length + 2;
    }
    return 0;
}

int template_open(struct template **out, const char *text, char *error, size_t error_size)
{
    struct template *template = calloc(1, sizeof *template);
    struct compiler compiler = {.template = template, .error = error, .error_size = error_size};
    int rc = -ENOMEM;

    if (template)
        template->text = strndup(text, TEMPLATE_SIZE_MAX + 1);
    if (template && template->text)
        rc = strlen(template->text) > TEMPLATE_SIZE_MAX
                 ? fail(&compiler, template->text, "longer than %d bytes", TEMPLATE_SIZE_MAX)
                 : compile(&compiler);
    if (rc == 0 && compiler.depth > 0)
        rc = fail(&compiler, template->text + strlen(template->text), "an {end} is missing");
    if (rc < 0) {
        template_close(template);
        return rc;
    }
    *out = template;
    return 0;
}

void template_close(struct template *template)
{
    if (!template)
        return;
    free(template->parts);
    free(template->text);
    free(template);
}

/* ---- rendering ---- */

struct rendering {
    const struct template *template;
    const struct notification *notification;
    enum escape how;
    struct buffer *out;
    size_t limit; /* bytes in `out` */
    struct buffer field;
};

static bool is_full(const struct rendering *r)
{
    return r->out->size >= r->limit || r->out->failed;
}

/* A doubled brace is one. */
static void put_literal(const struct part *part, struct buffer *out)
{
    for (size_t i = 0; i < part->length; i++) {
        buffer_char(out, part->text[i]);
        if (part->text[i] == '{' || part->text[i] == '}')
            i++;
    }
}

static void put_plural(const struct rendering *r, const struct part *part)
{
    uint64_t count = 0;
    const char *text;
    size_t length;

    template_field_count(part->field, r->notification, &count);
    text = count == 1 ? part->text : part->many;
    length = count == 1 ? part->length : part->many_length;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '#')
            buffer_format(r->out, "%" PRIu64, count);
        else
            buffer_char(r->out, text[i]);
    }
}

static const char *field_text(struct rendering *r, int field, const struct item *item)
{
    buffer_clear(&r->field);
    template_field_put(field, r->notification, item, &r->field);
    if (r->field.failed)
        r->out->failed = true;
    return buffer_string(&r->field);
}

static bool holds(struct rendering *r, const struct part *part, const struct item *item)
{
    uint64_t count;

    if (template_field_count(part->field, r->notification, &count))
        return count > 0;
    return *field_text(r, part->field, item) != '\0';
}

static void render(struct rendering *r, size_t from, size_t to, const struct item *item);

static void render_each(struct rendering *r, size_t place)
{
    const struct part *part = &r->template->parts[place];

    for (size_t i = 0; i < r->notification->n_items && !is_full(r); i++)
        if (part->field < 0 || (int)r->notification->items[i].state == part->field)
            render(r, place + 1, part->end, &r->notification->items[i]);
}

static void render(struct rendering *r, size_t from, size_t to, const struct item *item)
{
    for (size_t i = from; i < to && !is_full(r); i++) {
        const struct part *part = &r->template->parts[i];

        if (part->kind == PART_LITERAL)
            put_literal(part, r->out);
        else if (part->kind == PART_FIELD)
            escape_text(r->how, field_text(r, part->field, item), r->out);
        else if (part->kind == PART_PLURAL)
            put_plural(r, part);
        else if (part->kind == PART_EACH)
            render_each(r, i);
        else if (part->kind == PART_IF && holds(r, part, item))
            render(r, i + 1, part->end, item);
        if (part->kind == PART_EACH || part->kind == PART_IF)
            i = part->end;
    }
}

void template_render(const struct template *template, const struct notification *notification,
                     enum escape how, struct buffer *out)
{
    struct rendering r = {.template = template,
                          .notification = notification,
                          .how = how,
                          .out = out,
                          .limit = out->size + TEMPLATE_RESULT_MAX};

    render(&r, 0, template->n_parts, NULL);
    if (out->size >= r.limit)
        buffer_text(out, "…");
    buffer_free(&r.field);
}
