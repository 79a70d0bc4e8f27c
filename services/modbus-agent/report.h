/* Report by exception: whether a group's new reading says enough that is new to be published. Pure.
 *
 * It does where a value has left the dead-band around what was published last, where another kind
 * of value changed at all, where a point became good or bad or bad for another reason, where the
 * heartbeat is over, and the first time. The band is around what was published, not around the last
 * reading, so that a slow drift is not missed. */
#ifndef REPORT_H
#define REPORT_H

#include "reading.h"

#include <stddef.h>
#include <stdint.h>

/* A number must change by more than the larger of the two; 0 and 0: at all. */
struct report_band {
    double absolute; /* in the point's unit */
    double percent;  /* of the value published last */
};

struct report_point {
    const char *name; /* borrowed */
    struct report_band band;
    struct value value; /* published last, owned; VALUE_NONE: it was bad */
    const char *fault;  /* borrowed; NULL: it was good, or nothing was published yet */
};

struct report {
    struct report_point *points; /* owned; in the order in which readings have them */
    size_t n_points;
    int64_t heartbeat_ms;
    int64_t last_ms;
    bool begun; /* something was published */
};

/* The points are added by the caller, in the order of the readings. Returns 0 or -ENOMEM. */
int report_open(struct report *out, size_t n_points, int64_t heartbeat_ms);
void report_add(struct report *report, const char *name, const struct report_band *band);
void report_close(struct report *report);

/* Whether the reading is to be published; if so it is from here on the one published last. */
bool report_due(struct report *report, const struct reading *reading, int64_t now_ms);

/* Whether a reading that is the same as the one before need not be looked at. */
bool report_rests(const struct report *report, int64_t now_ms);

void report_forget(struct report *report); /* the next reading is to be published, whatever it is */

#endif
