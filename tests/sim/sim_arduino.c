/* sim-arduino: a greenhouse's Arduino over TCP and over a pseudo-terminal. */
#include "board.h"
#include "clock.h"
#include "clockwork.h"
#include "link.h"
#include "listener.h"
#include "terminal.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 64
#define EXIT_UNAVAILABLE 69

struct program {
    const char *listen;
    const char *pty;
    double speed;
    uint64_t seed;
    int64_t boot_ms;
    int64_t dead_man_ms;
    char *faults; /* "name=value,…", split in place */

    struct board board;
    int64_t kept_ms; /* the last line that keeps the outputs on */
    struct clockwork clockwork;
    struct links links;
    struct listener *listener;
    struct terminal *terminal;
};

static const char help[] =
    "sim-arduino: a simulated greenhouse on an Arduino\n"
    "\n"
    "  --listen HOST:PORT  serve over TCP; port 0 takes a free one and says which\n"
    "  --pty LINK          serve over a pseudo-terminal, with a symbolic link to it\n"
    "  --speed N           simulated seconds a second (1); a day is 600 simulated seconds\n"
    "  --seed N            another weather (1)\n"
    "  --boot MS           the board's reset after each opening (2000)\n"
    "  --dead-man MS       outputs go off after so long without a line, or, once there was one,\n"
    "                      without an ALIVE (30000)\n"
    "  --fault LIST        garbage=P,silent=P,partial=P (shares 0..1),slow=MS,stuck=SENSOR\n"
    "  --help\n"
    "\n"
    "Requests, one a line: READ_SENSORS, GET_DATA, LED,{13|12|11},{ON|OFF}, ALIVE\n"
    "(13 fan, 12 irrigation, 11 led). For tests also SIM,{fault},{value} and\n"
    "SIM,SET,{temp|hum|soil|light},{number}, which are answered even while the board boots.\n";

static void program_step(void *self)
{
    struct program *program = self;

    if (loop_now(program->clockwork.loop) - program->kept_ms >= program->dead_man_ms &&
        board_let_go(&program->board))
        printf("dead-man time=%" PRId64 "\n", clock_time_ms());
    greenhouse_step(&program->board.greenhouse);
}

static void program_on_open(void *self, struct link *link)
{
    struct program *program = self;

    link_send(link, "READY\r\n", 7, program->boot_ms);
}

/* A board that boots hears nothing; only the simulation itself does. */
static void program_take_line(struct program *program, struct link *link, const char *line)
{
    struct board_answer answer;

    if (link_age_ms(link) < program->boot_ms && strncmp(line, "SIM,", 4) != 0)
        return;
    if (*line == '\0')
        return;
    if (board_is_kept(&program->board, line))
        program->kept_ms = loop_now(program->clockwork.loop);
    board_answer(&program->board, line, &answer);
    if (answer.length > 0)
        link_send(link, answer.text, answer.length, answer.delay_ms);
}

static long program_on_bytes(void *self, struct link *link, const uint8_t *bytes, size_t size)
{
    struct program *program = self;
    size_t start = 0;

    for (size_t i = 0; i < size; i++) {
        char line[BOARD_LINE_MAX + 1];
        size_t length = i - start;

        if (bytes[i] != '\n' && bytes[i] != '\r')
            continue;
        /* As on the board, what does not fit its buffer is lost. */
        if (length > BOARD_LINE_MAX)
            length = BOARD_LINE_MAX;
        memcpy(line, bytes + start, length);
        line[length] = '\0';
        start = i + 1;
        program_take_line(program, link, line);
    }
    return size - start > BOARD_LINE_MAX ? (long)size : (long)start;
}

static const struct link_handlers program_handlers = {
    .on_open = program_on_open,
    .on_bytes = program_on_bytes,
};

static int bad_usage(const char *what, const char *value)
{
    fprintf(stderr, "sim-arduino: %s: %s; see --help\n", what, value);
    return EXIT_USAGE;
}

static int parse_arguments(struct program *program, int argc, char **argv)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"pty", required_argument, NULL, 'p'},
                                            {"speed", required_argument, NULL, 's'},
                                            {"seed", required_argument, NULL, 'e'},
                                            {"boot", required_argument, NULL, 'b'},
                                            {"fault", required_argument, NULL, 'f'},
                                            {"dead-man", required_argument, NULL, 'd'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'l':
            program->listen = optarg;
            break;
        case 'p':
            program->pty = optarg;
            break;
        case 's':
            program->speed = strtod(optarg, NULL);
            break;
        case 'e':
            program->seed = strtoull(optarg, NULL, 10);
            break;
        case 'b':
            program->boot_ms = strtoll(optarg, NULL, 10);
            break;
        case 'd':
            program->dead_man_ms = strtoll(optarg, NULL, 10);
            break;
        case 'f':
            program->faults = optarg;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            return EXIT_USAGE;
        }
    }
    if (optind < argc)
        return bad_usage("unexpected argument", argv[optind]);
    if (!(program->speed > 0 && program->speed <= 10000))
        return bad_usage("--speed", "expected a number above 0, at most 10000");
    if (!program->listen && !program->pty)
        return bad_usage("nothing to serve", "give --listen or --pty");
    return 0;
}

static int set_faults(struct program *program)
{
    char *next = program->faults;
    char *fault;

    while ((fault = strsep(&next, ",")) != NULL) {
        char *value = strchr(fault, '=');

        if (value)
            *value++ = '\0';
        if (!value || board_fault(&program->board, fault, value) < 0)
            return bad_usage("--fault", fault);
    }
    return 0;
}

static int serve(struct program *program)
{
    const struct link_options options = {.loop = program->clockwork.loop,
                                         .links = &program->links,
                                         .handlers = &program_handlers,
                                         .self = program};
    int rc = 0;

    if (program->listen)
        rc = listener_open(&program->listener, &options, program->listen);
    if (rc < 0) {
        fprintf(stderr, "sim-arduino: --listen %s: %s\n", program->listen, strerror(-rc));
        return EXIT_UNAVAILABLE;
    }
    if (program->listener)
        printf("listening port=%d\n", listener_port(program->listener));
    if (program->pty)
        rc = terminal_open(&program->terminal, &options, program->pty);
    if (rc < 0) {
        fprintf(stderr, "sim-arduino: --pty %s: %s\n", program->pty, strerror(-rc));
        return EXIT_UNAVAILABLE;
    }
    if (program->terminal)
        printf("serving pty=%s\n", program->pty);
    return clockwork_run(&program->clockwork) < 0 ? EXIT_UNAVAILABLE : 0;
}

int main(int argc, char **argv)
{
    struct program program = {.speed = 1, .seed = 1, .boot_ms = 2000, .dead_man_ms = 30000};
    int code = parse_arguments(&program, argc, argv);

    if (code)
        return code;
    setlinebuf(stdout);
    board_init(&program.board, program.seed);
    code = set_faults(&program);
    if (code)
        return code;
    if (clockwork_open(&program.clockwork, program.speed, GREENHOUSE_STEP_MS, program_step,
                       &program) < 0)
        code = EXIT_UNAVAILABLE;
    else
        code = serve(&program);
    listener_close(program.listener);
    terminal_close(program.terminal);
    links_close(&program.links);
    clockwork_close(&program.clockwork);
    return code;
}
