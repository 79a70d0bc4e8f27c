/* What a probe found, as a configuration that --check takes: the findings as comments, then a bus
 * with what was picked of them. */
#ifndef PROBE_REPORT_H
#define PROBE_REPORT_H

#include "expect.h"
#include "probe.h"

#include <stdio.h>

struct probe_report {
    const struct bus_settings *bus;     /* borrowed */
    const struct expectation *expected; /* borrowed; what is picked; none: what is more plausible
                                           than not */
    size_t n_expected;
    bool all; /* shows every interpretation, not only the few most plausible ones */
};

/* Returns how many of the expected values no unit has; -ENOMEM. */
int probe_report(const struct probe_report *report, const struct probe *probe, FILE *out);

#endif
