/* The birth document of a device: contract, section 1, `meta`; proto/meta.schema.json. Pure. */
#ifndef META_H
#define META_H

#include "actuator_settings.h"
#include "buffer.h"
#include "jsonw.h"
#include "point.h"

#include <stddef.h>
#include <stdint.h>

/*     struct jsonw w = meta_begin(&buffer, mqtt_instance(mqtt), FIELDLINE_VERSION,
 * clock_time_ms()); for (…) meta_point(&w, point, "sensors", period_ms); return meta_end(&w,
 * actuators, n_actuators);
 *
 * A period of 0 is left out. meta_end() is meta_actuators() and meta_close(), between which an
 * agent may say more. The last two return 0 or -ENOMEM. */
struct jsonw meta_begin(struct buffer *out, const char *agent, const char *version,
                        int64_t time_ms);
void meta_point(struct jsonw *w, const struct point *point, const char *measurement,
                int64_t period_ms);
void meta_actuators(struct jsonw *w, const struct actuator_settings *actuators, size_t n_actuators);
int meta_close(struct jsonw *w);
int meta_end(struct jsonw *w, const struct actuator_settings *actuators, size_t n_actuators);

#endif
