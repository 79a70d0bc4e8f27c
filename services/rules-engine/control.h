/* Control blocks as rules: "on_off" and "pid" in place of `when`. Pure. */
#ifndef CONTROL_H
#define CONTROL_H

#include "decide.h"

/* on_off: on below setpoint − band/2 and off above setpoint + band/2, or the other way round where
 * it cools; not off before it was on for min_on, and not on before it was off for min_off. */
struct rule_condition control_condition(const struct instance *instance, int64_t time_ms);

/* Before when an on_off may not be switched again; INT64_MIN where it may. */
int64_t control_settled_ms(const struct instance *instance);

/* pid: one step when its sample time is over, and the command that follows where the output has
 * moved by `step` at least. Unknown values change nothing; while `auto` is not true it follows
 * `track`, to go on from there without a bump. */
void control_pid(struct engine *engine, struct instance *instance);

/* When control_pid() has something to do; RULE_NEVER. */
int64_t control_due_ms(const struct engine *engine, const struct instance *instance);

#endif
