/* A JSON document of which the texts are templates: whatever a field holds, the document stays the
 * document that it is. Pure but for reading the configuration. */
#ifndef JSON_TEMPLATE_H
#define JSON_TEMPLATE_H

#include "buffer.h"
#include "config.h"
#include "notification.h"

struct json_template;

/* Takes over the object at `key`; NULL where there is none. Problems are the configuration's.
 * Returns 0 or -ENOMEM. */
int json_template_configure(struct json_template **out, struct config_node *node, const char *key);
void json_template_close(struct json_template *template); /* NULL is ignored */

/* Appends the document. */
void json_template_render(const struct json_template *template,
                          const struct notification *notification, struct buffer *out);

#endif
