#include "service_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG = 1, CHECK, PRINT_CONFIG, HEALTHCHECK, VERSION, HELP, OWN };

static const struct option common[] = {
    {"config", required_argument, NULL, CONFIG},
    {"check", no_argument, NULL, CHECK},
    {"print-config", no_argument, NULL, PRINT_CONFIG},
    {"healthcheck", no_argument, NULL, HEALTHCHECK},
    {"version", no_argument, NULL, VERSION},
    {"help", no_argument, NULL, HELP},
};
#define N_COMMON (sizeof common / sizeof *common)

static size_t count_own(const struct service_program *program)
{
    size_t n = 0;
    while (program->options && n < SERVICE_OPTIONS_MAX && program->options[n].flag)
        n++;
    return n;
}

static void list_options(struct option *out, const struct service_program *program)
{
    memcpy(out, common, sizeof common);
    size_t n = count_own(program);
    for (size_t i = 0; i < n; i++) {
        const struct service_option *own = &program->options[i];
        out[N_COMMON + i] = (struct option){
            own->flag, own->argument ? required_argument : no_argument, NULL, OWN + (int)i};
    }
    out[N_COMMON + n] = (struct option){0};
}

static void take_own(struct service_arguments *out, int index)
{
    out->values[index] = optarg ? optarg : "";
    out->tool |= out->program->options[index].is_tool;
}

static void take(struct service_arguments *out, int option)
{
    switch (option) {
    case CONFIG:
        out->config = optarg;
        break;
    case CHECK:
        out->check = true;
        break;
    case PRINT_CONFIG:
        out->print_config = true;
        break;
    case HEALTHCHECK:
        out->healthcheck = true;
        break;
    case VERSION:
        out->version = true;
        break;
    case HELP:
        out->help = true;
        break;
    default:
        take_own(out, option - OWN);
        break;
    }
}

int service_options_parse(struct service_arguments *out, const struct service_program *program,
                          int argc, char **argv)
{
    struct option options[N_COMMON + SERVICE_OPTIONS_MAX + 1];
    list_options(options, program);
    *out = (struct service_arguments){.program = program};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return -EINVAL; /* getopt has said why */
        take(out, option);
    }
    if (optind < argc) {
        fprintf(stderr, "%s: '%s' is no option; see --help\n", program->name, argv[optind]);
        return -EINVAL;
    }
    if (!out->config)
        out->config = getenv("FIELDLINE_CONFIG");
    return 0;
}

void service_options_help(const struct service_program *program)
{
    printf("%s: %s\n\n"
           "usage: %s --config FILE [option]\n"
           "  --config FILE       the configuration, JSON with comments (or FIELDLINE_CONFIG)\n"
           "  --check             validate it and say what is wrong: 0 or 78\n"
           "  --print-config      print what is in effect, defaults included, secrets masked\n"
           "  --healthcheck       whether the running service does its work: 0 or 1\n"
           "  --version, --help\n",
           program->name, program->about, program->name);
    size_t n = count_own(program);
    for (size_t i = 0; i < n; i++) {
        const struct service_option *own = &program->options[i];
        char words[64];
        snprintf(words, sizeof words, "--%s%s%s", own->flag, own->argument ? " " : "",
                 own->argument ? own->argument : "");
        printf("  %-18s  %s\n", words, own->help);
    }
    puts("\nSIGTERM drains and leaves, a second one leaves at once; SIGHUP reads the configuration "
         "anew.\n"
         "Exit codes: 0, 64 usage, 69 unavailable, 70 internal, 74 input or output, 78 "
         "configuration.");
}

const char *service_argument(const struct service_arguments *arguments, const char *flag)
{
    size_t n = count_own(arguments->program);
    for (size_t i = 0; i < n; i++)
        if (strcmp(arguments->program->options[i].flag, flag) == 0)
            return arguments->values[i];
    return NULL;
}
