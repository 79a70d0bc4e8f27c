/* Filters that several sinks share: "$share/GROUP/FILTER" in "topics", by which the broker deals
 * messages out to one of the group each (MQTT 5.0, section 4.8.2). Pure. */
#ifndef SHARE_H
#define SHARE_H

#include <stdbool.h>

/* Whether a filter is shared; its length without FILTER then is in `prefix`: 0 where a group or a
 * filter is missing or the group has a wildcard in it. */
bool share_is(const char *filter, int *prefix);

/* The filter as the broker gets it, with `root` in front of FILTER or, where it is not shared, of
 * all. The caller's to free; NULL without memory. */
char *share_below(const char *root, const char *filter);

/* What $SYS/broker/version says: whether this broker, when it starts again, has forgotten who
 * shares, so that what is published before the first of them is back goes to nobody. Every
 * mosquitto does (persist__subs_save() in its persist_write.c has other subscriptions only);
 * measured with 2.0.11 and 2.0.21: tests/e2e/test_sink_shared.py. */
bool share_is_lost_by(const char *version);

#endif
