/* Rules that fire on silence: `"absent": "30s"`. Silence counts from the device's last good value,
 * whenever that was, but only while somebody listens: a broker that is away makes nobody absent.
 * Pure. */
#ifndef ABSENCE_H
#define ABSENCE_H

#include "decide.h"

/* When an instance of such a rule has been silent for too long: RULE_NEVER while nobody listens. A
 * device that was never heard is silent from when listening began; one that has been silent for
 * long already is given ABSENCE_GRACE_MS from then on, or less where the rule says less. */
#define ABSENCE_GRACE_MS 60000
int64_t absence_due_ms(const struct engine *engine, const struct instance *instance);

/* The condition of such a rule: unknown while nobody listens. */
struct rule_condition absence_condition(const struct engine *engine,
                                        const struct instance *instance);

/* Seconds since the last good value; VALUE_NONE where there was none. */
struct value absence_seconds(const struct engine *engine, const struct instance *instance);

/* Whether some such rule waits for this measurement of this device. */
bool absence_is_awaited(const struct engine *engine, const struct engine_place *place,
                        const char *measurement);

#endif
