/* Where a poll reads what an actuator writes, so that a change made at the device is seen. Pure. */
#ifndef ECHO_H
#define ECHO_H

#include "settings.h"

#define ECHO_NO_GROUP SIZE_MAX

struct echo {
    size_t group; /* ECHO_NO_GROUP: no poll does */
    size_t point;
    size_t cell; /* in the cells of the group's answer */
};

/* The first group that polls it. */
struct echo echo_find(const struct unit_settings *settings, const struct output *output);

#endif
