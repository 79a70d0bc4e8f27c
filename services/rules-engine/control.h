/* Control blocks as rules: "on_off" and "pid" in place of `when`, and the watch over them. What is
 * unknown changes nothing: the output stays as it is. Pure. */
#ifndef CONTROL_H
#define CONTROL_H

#include "decide.h"

/* on_off: on below setpoint − band/2 and off above setpoint + band/2, or the other way round where
 * it cools, and off outside of its hours; not off before it was on for min_on, and not on before it
 * was off for min_off. While `auto` is not true it does nothing; afterwards it commands what it
 * finds right, whatever was before. */
struct rule_condition control_on_off(const struct engine *engine, struct instance *instance);

/* An on_off whose hand has gone: what it believes of the actuator may be wrong, so that it is to
 * say it anew, under an id of its own. */
void control_take_over(struct engine *engine, struct instance *instance);

/* Before when an on_off may not be switched again; INT64_MIN where it may. */
int64_t control_settled_ms(const struct instance *instance);

/* pid: one step when its sample time is over, and the command that follows where the output has
 * moved by `step` at least. While `auto` is not true it follows `track`, and outside of its hours
 * it rests at `safe` or as it is, to go on from there without a bump. */
void control_pid(struct engine *engine, struct instance *instance);

/* watch: whether the measured value is farther than `tolerance` from the set-point, or one of them
 * not known. By hand, that is nobody's fault. */
struct rule_condition control_watch(const struct instance *instance, int64_t time_ms);

/* When control_pid() has something to do; RULE_NEVER. */
int64_t control_due_ms(const struct engine *engine, const struct instance *instance);

#endif
