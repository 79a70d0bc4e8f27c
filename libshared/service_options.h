/* The command line of every program: contract, section 4. Inside service.c. */
#ifndef SERVICE_OPTIONS_H
#define SERVICE_OPTIONS_H

#include "service.h"

#define SERVICE_OPTIONS_MAX 16 /* own words of a program */

struct service_arguments {
    const struct service_program *program;
    const char *config; /* --config or FIELDLINE_CONFIG; NULL where neither was given */
    bool check;
    bool print_config;
    bool healthcheck;
    bool version;
    bool help;
    bool tool;                               /* one of the program's tools was asked for */
    const char *values[SERVICE_OPTIONS_MAX]; /* by the index of program->options */
};

/* Returns 0, or -EINVAL after saying on standard error what is wrong. */
int service_options_parse(struct service_arguments *out, const struct service_program *program,
                          int argc, char **argv);
void service_options_help(const struct service_program *program);

#endif
