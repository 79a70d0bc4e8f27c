/* What an instance of a rule keeps of what it did: when it fired, which of its commands are not
 * answered yet, whether one failed. Made with the first edge: most instances never have one. Pure.
 */
#ifndef DUTY_H
#define DUTY_H

#include "settings.h"

#define DUTY_HOUR_MS (INT64_C(3600) * 1000)

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
    int64_t kept_ms; /* when the memory was last told of `pid` */
    uint64_t n_fired;
    int64_t hour[]; /* the last rule->max_per_hour times that it fired, in a ring */
};

struct duty *duty_open(const struct rule *rule); /* NULL without memory */
void duty_close(struct duty *duty);

void duty_fired(struct duty *duty, const struct rule *rule, int64_t time_ms);

/* The same from a memory: in any order, and more than once. */
void duty_recall(struct duty *duty, const struct rule *rule, int64_t time_ms);

/* How many times the ring has, and the i-th of them from the oldest. */
size_t duty_n_kept(const struct duty *duty, const struct rule *rule);
int64_t duty_kept_ms(const struct duty *duty, const struct rule *rule, size_t i);

/* Before when the rule may not fire (again): cool-down and largest number an hour. `duty` may be
 * NULL. */
int64_t duty_rested_ms(const struct duty *duty, const struct rule *rule);

#endif
