/* A condition that must hold before an actuator may leave its safe value: an expression
 * (expression.h) over the device's own last good values, "level > 10 and age(level) < 30s". What is
 * not known is not true. Pure: time passed in. */
#ifndef INTERLOCK_H
#define INTERLOCK_H

#include "config.h"
#include "expression.h"
#include "fields.h"
#include "latest.h"

struct interlock;

/* Reads the expression at `key`, which may be absent. It must be true or false, read no other
 * device, not ask for the past (previous, rate, windows) and use age(), since a value from
 * yesterday is no condition for today. Borrowed; NULL where there is none, or a problem was
 * recorded. */
const char *interlock_configure(struct config_node *node, const char *key);

/* Each field that it reads and the device does not have is a problem. NULL text: nothing to check.
 */
void interlock_check(const char *text, const struct fields *fields, struct config_node *node,
                     const char *key);

/* `text` is one that interlock_configure() gave. Returns 0, -ENOMEM or -EINVAL. */
int interlock_open(struct interlock **out, const char *text);
void interlock_close(struct interlock *interlock); /* takes NULL */

bool interlock_holds(const struct interlock *interlock, const struct latest *latest,
                     int64_t now_ms);

#endif
