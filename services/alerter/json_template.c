#include "json_template.h"

#include "jsonw.h"
#include "template.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 12

enum step_kind { STEP_OBJECT, STEP_OBJECT_END, STEP_ARRAY, STEP_ARRAY_END, STEP_TEXT, STEP_VALUE };

struct step {
    enum step_kind kind;
    const char *key;           /* borrowed from the configuration; NULL in an array */
    struct template *template; /* owned; of a text */
    struct value value;        /* of another scalar */
};

struct json_template {
    struct step *steps; /* owned array: the document from its beginning to its end */
    size_t n_steps;
};

static int add(struct json_template *template, const struct step *step)
{
    struct step *grown =
        realloc(template->steps, (template->n_steps + 1) * sizeof *template->steps);

    if (!grown)
        return -ENOMEM;
    template->steps = grown;
    grown[template->n_steps++] = *step;
    return 0;
}

static int add_mark(struct json_template *template, enum step_kind kind, const char *key)
{
    const struct step step = {.kind = kind, .key = key};

    return add(template, &step);
}

static int add_text(struct json_template *template, struct config_node *node, const char *key,
                    const char *text)
{
    struct step step = {.kind = STEP_TEXT, .key = key};
    char error[256];
    int rc = template_open(&step.template, text ? text : "", error, sizeof error);

    if (rc == -EINVAL)
        config_problem(node, key, "%s", error);
    if (rc < 0)
        return rc == -EINVAL ? 0 : rc;
    rc = add(template, &step);
    if (rc < 0)
        template_close(step.template);
    return rc;
}

static int add_scalar(struct json_template *template, struct config_node *node, const char *key)
{
    struct step step = {.kind = STEP_VALUE, .key = key, .value = config_value(node, key)};

    if (step.value.type == VALUE_TEXT)
        return add_text(template, node, key, step.value.text);
    return add(template, &step);
}

static int add_object(struct json_template *template, struct config_node *node, const char *key,
                      unsigned depth);

static int add_array(struct json_template *template, struct config_node *array, const char *key,
                     unsigned depth)
{
    int rc = add_mark(template, STEP_ARRAY, key);

    for (size_t i = 0; rc == 0 && i < config_length(array); i++) {
        enum config_kind kind = config_kind(array, NULL, i);

        if (kind == CONFIG_OBJECT)
            rc = add_object(template, config_item(array, i), NULL, depth + 1);
        else if (kind == CONFIG_SCALAR)
            rc = add_text(template, array, NULL, config_string_at(array, i));
        else
            config_problem(array, NULL, "holds texts and objects only");
    }
    return rc == 0 ? add_mark(template, STEP_ARRAY_END, NULL) : rc;
}

static int add_object(struct json_template *template, struct config_node *node, const char *key,
                      unsigned depth)
{
    int rc = add_mark(template, STEP_OBJECT, key);

    if (depth > DEPTH_MAX) {
        config_problem(node, NULL, "lies deeper than %d", DEPTH_MAX);
        return add_mark(template, STEP_OBJECT_END, NULL);
    }
    for (size_t i = 0; rc == 0 && i < config_length(node); i++) {
        const char *inner = config_key(node, i);
        enum config_kind kind = config_kind(node, inner, 0);

        if (kind == CONFIG_OBJECT)
            rc = add_object(template, config_object(node, inner), inner, depth + 1);
        else if (kind == CONFIG_ARRAY)
            rc = add_array(template, config_array(node, inner), inner, depth + 1);
        else
            rc = add_scalar(template, node, inner);
    }
    return rc == 0 ? add_mark(template, STEP_OBJECT_END, NULL) : rc;
}

int json_template_configure(struct json_template **out, struct config_node *node, const char *key)
{
    struct json_template *template;
    int rc;

    *out = NULL;
    if (!config_has(node, key))
        return 0;
    template = calloc(1, sizeof *template);
    if (!template)
        return -ENOMEM;
    rc = add_object(template, config_object(node, key), NULL, 0);
    if (rc < 0)
        json_template_close(template);
    else
        *out = template;
    return rc;
}

void json_template_close(struct json_template *template)
{
    if (!template)
        return;
    for (size_t i = 0; i < template->n_steps; i++)
        template_close(template->steps[i].template);
    free(template->steps);
    free(template);
}

static void render_step(const struct step *step, const struct notification *notification,
                        struct jsonw *w)
{
    struct buffer text = {0};

    switch (step->kind) {
    case STEP_OBJECT:
        jsonw_object_begin(w, step->key);
        break;
    case STEP_OBJECT_END:
        jsonw_object_end(w);
        break;
    case STEP_ARRAY:
        jsonw_array_begin(w, step->key);
        break;
    case STEP_ARRAY_END:
        jsonw_array_end(w);
        break;
    case STEP_VALUE:
        jsonw_value(w, step->key, &step->value);
        break;
    case STEP_TEXT:
        template_render(step->template, notification, ESCAPE_NONE, &text);
        jsonw_text(w, step->key, buffer_string(&text));
        w->out->failed |= text.failed;
        buffer_free(&text);
        break;
    }
}

void json_template_render(const struct json_template *template,
                          const struct notification *notification, struct buffer *out)
{
    struct jsonw w = jsonw_start(out);

    for (size_t i = 0; i < template->n_steps; i++)
        render_step(&template->steps[i], notification, &w);
}
