/* rules-engine --check [--meta CAPTURE]: what each rule selects, when it fires and what it would
 * do; then warnings of rules that fight, of loops, and of names that no agent announces. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "buffer.h"
#include "settings.h"

/* Appends the derived values and rules, in their order. Pure. */
void explain_settings(const struct settings *settings, struct buffer *out);

/* Appends what a command says, as far as it is known: `true`, `21.5`, `setpoint + 2`. */
void explain_value(const struct action *action, struct buffer *out);

/* service_program's explain: prints all of it. Warnings are no errors: 0, or 74 where the capture
 * cannot be read, 70 without memory. */
struct service_arguments;
int explain_tool(const void *settings, const struct service_arguments *arguments);

#endif
