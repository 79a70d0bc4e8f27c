/* Texts with fields of a notification in them. Pure.
 *
 *   {field}                  of the notification, or within {each} of one alert
 *   {each} … {end}           once for each alert that is shown; {each:resolved} of one state
 *   {if:field} … {end}       where the field is not empty, and for a count not 0
 *   {plural:field|one|many}  "one" for 1, else "many"; '#' in them is the number
 *   {{ and }}                the braces themselves
 *
 * Fields of both: heading text kind state severity group location device rule message episode since
 * value by comment ack (the topic to acknowledge by) id time, and the counts: count shown more
 * firing resolved stale acknowledged flapping removed moved standing forgotten held. Outside of
 * {each} those of an alert are what all alerts have in common, or empty; within it, {text} is the
 * alert's own line. Times are local.
 *
 * What a field holds is escaped for the place that the whole text goes to; the template itself is
 * not. */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "buffer.h"
#include "escape.h"
#include "notification.h"

#include <stddef.h>

#define TEMPLATE_SIZE_MAX (16 * 1024) /* bytes of a template */
#define TEMPLATE_RESULT_MAX                                              \
    (256 * 1024) /* bytes of a text; beyond them it is cut, and shows it \
                  */

struct template;

/* Returns 0; -ENOMEM; or -EINVAL with a sentence in `error` that says what and at which byte. */
int template_open(struct template **out, const char *text, char *error, size_t error_size);
void template_close(struct template *template); /* NULL is ignored */

/* Appends the text. */
void template_render(const struct template *template, const struct notification *notification,
                     enum escape how, struct buffer *out);

#endif
