/* What an instance of a rule keeps of what it did: when it fired, which of its commands are not
 * answered yet, whether one failed. Made with the first edge: most instances never have one. Pure.
 */
#ifndef DUTY_H
#define DUTY_H

#include "settings.h"

struct order;

struct duty {
    struct order *orders;    /* owned by order.c: not answered yet */
    bool failed;             /* a command failed, and the alert about it fires */
    uint64_t failed_episode; /* of that alert */
    int64_t published_ms;    /* time and number of the last reading published */
    uint64_t published;
    int64_t fired_ms;   /* 0: never */
    int64_t cleared_ms; /* 0: never */
    struct pid pid;     /* of a rule that is one */
    bool commanded;     /* likewise: `output` was commanded */
    double output;
    uint64_t n_fired;
    int64_t hour[]; /* the last rule->max_per_hour times that it fired, in a ring */
};

struct duty *duty_open(const struct rule *rule); /* NULL without memory */
void duty_close(struct duty *duty);

void duty_fired(struct duty *duty, const struct rule *rule, int64_t time_ms);

/* Before when the rule may not fire (again): cool-down and largest number an hour. `duty` may be
 * NULL. */
int64_t duty_rested_ms(const struct duty *duty, const struct rule *rule);

#endif
