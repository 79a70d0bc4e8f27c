/* Messages: text with expressions in it, "efficiency {efficiency:.2%} on {device}". Pure.
 *
 *   {expression}        in the shortest form: a number, a text, true or false
 *   {expression:.1f}    a number with so many digits after the point
 *   {expression:.2%}    a share as a percentage: 0.81 is "81.00 %" (ISO 80000-1, 7.1.4: with a
 * space) {location} {device} {rule} {severity}   of the alert
 *   {{ and }}           the braces themselves
 *
 * What is unknown reads "unknown". */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "buffer.h"
#include "expression.h"

struct template;

/* Fields that it reads are added to `references`. Returns 0; -EINVAL with `error` filled, the
 * column counted in `text`; -ENOMEM. */
int template_compile(struct template **out, const char *text,
                     struct expression_references *references, struct expression_error *error);
void template_close(struct template *template);

struct template_names {
    const char *location, *device, *rule, *severity; /* borrowed */
};

/* Appends the message. `read` as of expression_evaluate(). */
void template_render(const struct template *template, const struct template_names *names,
                     expression_read_fn *read, void *self, struct buffer *out);

#endif
