/* The rule of a zone for years to come: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX.1-2017, section 8.3,
 * "TZ"; hours from -167 to 167: RFC 8536, section 3.3.1). Pure. Part of tzif.h. */
#ifndef TZIF_RULE_H
#define TZIF_RULE_H

#include "tzif.h"

#include <stdbool.h>

#define TZIF_NAME_SIZE 16

enum tzif_day { TZIF_MONTH_WEEK, TZIF_JULIAN, TZIF_YEAR_DAY };

struct tzif_change {
    enum tzif_day kind;
    int month, week; /* of TZIF_MONTH_WEEK; week 5 is the last */
    int day;      /* of the week, 0 is Sunday; of the year from 1 (29 February left out) or 0 on */
    int32_t time; /* seconds of that day, by the clock that is changed */
};

struct tzif_rule {
    struct tzif_offset standard, summer; /* names are in the arrays below */
    bool has_summer;
    struct tzif_change begin, end; /* of summer time */
    char standard_name[TZIF_NAME_SIZE], summer_name[TZIF_NAME_SIZE];
};

/* Takes all `size` bytes. The rule must stay where it is. Returns 0 or -EBADMSG. */
int tzif_rule_parse(struct tzif_rule *out, const char *text, size_t size);
struct tzif_offset tzif_rule_at(const struct tzif_rule *rule, int64_t seconds);

#endif
