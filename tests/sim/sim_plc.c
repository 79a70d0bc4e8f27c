/* sim-plc: controllers of a packing line and its plant over Modbus TCP and RTU. */
#include "clock.h"
#include "clockwork.h"
#include "frame.h"
#include "link.h"
#include "listener.h"
#include "station.h"
#include "terminal.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EXIT_USAGE 64
#define EXIT_UNAVAILABLE 69
#define FAULTS_MAX 16
#define TURNAROUND_MS 5

struct program {
    const char *listen;
    const char *rtu;
    const char *rtu_pty;
    const char *rtu_listen;
    const char *control;
    const char *units;
    const char *faults[FAULTS_MAX];
    size_t n_faults;
    unsigned baud;
    double speed;
    uint64_t seed;
    int64_t watchdog_ms;
    bool log_writes;
    bool wire_time; /* RTU takes as long as on a line */

    struct station station;
    struct clockwork clockwork;
    struct link_handlers rtu_handlers; /* the silence depends on the rate */
    struct links links;
    struct listener *tcp;
    struct listener *rtu_tcp;
    struct listener *control_socket;
    struct terminal *terminal;
};

static const char help[] =
    "sim-plc: a simulated packing line and its plant on a Modbus controller\n"
    "\n"
    "  --listen HOST:PORT  serve Modbus TCP; port 0 takes a free one and says which\n"
    "  --rtu DEVICE        serve Modbus RTU on a serial device, 8N1\n"
    "  --rtu-pty LINK      serve Modbus RTU on a pseudo-terminal, with a symbolic link to it\n"
    "  --rtu-listen HOST:PORT  serve Modbus RTU over TCP, as a gateway does; port 0 as above\n"
    "  --baud N            of the serial line (19200)\n"
    "  --wire-time         let RTU take as long as at that rate, and 5 ms for each answer\n"
    "  --units LIST        unit ids, each a line of its own (1)\n"
    "  --speed N           simulated seconds a second (1); a shift is 1200 simulated seconds\n"
    "  --seed N            another course of events (1)\n"
    "  --fault FAULT       silent=UNIT, exception=UNIT:CODE, late=UNIT:MS or drop=P; may be "
    "repeated\n"
    "  --watchdog MS       outputs go to safe values where register 2, once written, is not for "
    "so\n"
    "                      long (10000)\n"
    "  --control PATH      take commands on a unix socket, one a line; \"-\" is standard input\n"
    "  --log-writes        print each coil and register written over the wire\n"
    "  --help\n"
    "\n"
    "Commands: set [UNIT:]TABLE ADDRESS VALUE, free [UNIT:]TABLE ADDRESS (follows the physics\n"
    "again), get [UNIT:]TABLE ADDRESS, fault FAULT, fault none; tables: coil, discrete, holding, "
    "input.\n";

static void watch(struct program *program)
{
    for (size_t i = 0; i < program->station.n_units; i++) {
        struct station_unit *unit = &program->station.units[i];

        if (plc_watch(&unit->plc, program->watchdog_ms, loop_now(program->clockwork.loop)))
            printf("dead-man time=%" PRId64 " unit=%u\n", clock_time_ms(), unit->id);
    }
}

static void program_step(void *self)
{
    struct program *program = self;

    watch(program);
    station_step(&program->station);
}

static void program_on_write(void *self, uint8_t unit, enum pdu_table table, uint16_t address,
                             uint16_t value)
{
    struct program *program = self;

    if (table == PDU_HOLDING && address == PLC_WATCHDOG)
        station_feed(&program->station, unit, loop_now(program->clockwork.loop));
    if (!program->log_writes)
        return;
    printf("write time=%" PRId64 " unit=%u table=%s address=%u value=%u\n", clock_time_ms(), unit,
           station_table_name(table), address, value);
}

static void tcp_answer(struct program *program, struct link *link, const struct frame *request)
{
    uint8_t bytes[FRAME_MAX];
    struct station_answer answer;
    struct frame frame = *request;

    if (station_ask(&program->station, request->unit, request->pdu, request->size, &answer) < 0) {
        answer.size = pdu_exception(request->pdu[0], PDU_TARGET_SILENT, answer.pdu);
        answer.late_ms = 0;
    }
    if (answer.size == 0)
        return;
    frame.pdu = answer.pdu;
    frame.size = answer.size;
    link_send(link, bytes, frame_make_mbap(&frame, bytes), answer.late_ms);
}

static long tcp_on_bytes(void *self, struct link *link, const uint8_t *bytes, size_t size)
{
    struct frame request;
    long done = 0;
    int n;

    while ((n = frame_parse_mbap(&request, bytes + done, size - (size_t)done)) > 0) {
        tcp_answer(self, link, &request);
        done += n;
    }
    return n < 0 ? -1 : done;
}

/* What the frames of an exchange and the silences around them take: Serial Line V1.02, section
 * 2.5.1.1; in whole milliseconds, since timers are late rather than early. */
static int64_t wire_ms(const struct program *program, size_t request, size_t answer)
{
    double byte_ms = 11 * 1000.0 / program->baud;
    double silence_ms = program->baud > 19200 ? 1.75 : 3.5 * byte_ms;

    if (!program->wire_time)
        return 0;
    return (int64_t)((double)(request + answer) * byte_ms + 2 * silence_ms + TURNAROUND_MS);
}

static void rtu_answer(struct program *program, struct link *link, const struct frame *request)
{
    uint8_t bytes[FRAME_MAX];
    struct station_answer answer;
    struct frame frame = *request;
    size_t size;

    if (station_ask(&program->station, request->unit, request->pdu, request->size, &answer) < 0 ||
        answer.size == 0)
        return; /* on a line, who is not meant says nothing */
    frame.pdu = answer.pdu;
    frame.size = answer.size;
    size = frame_make_rtu(&frame, bytes);
    link_send(link, bytes, size, answer.late_ms + wire_ms(program, request->size + 3, size));
}

static long rtu_on_bytes(void *self, struct link *link, const uint8_t *bytes, size_t size)
{
    struct frame request;
    long done = 0;
    int n;

    while ((n = frame_parse_rtu(&request, bytes + done, size - (size_t)done, false)) > 0) {
        rtu_answer(self, link, &request);
        done += n;
    }
    /* What is wrong waits for the silence that ends it, unless it is no frame at all. */
    return size - (size_t)done > FRAME_MAX ? (long)size : done;
}

static long rtu_on_quiet(void *self, struct link *link, const uint8_t *bytes, size_t size)
{
    struct frame request;

    if (frame_parse_rtu(&request, bytes, size, true) > 0)
        rtu_answer(self, link, &request);
    return (long)size;
}

static long control_on_bytes(void *self, struct link *link, const uint8_t *bytes, size_t size)
{
    struct program *program = self;
    const uint8_t *end;
    size_t done = 0;

    while ((end = memchr(bytes + done, '\n', size - done)) != NULL) {
        char line[LINK_IN_MAX + 1], said[STATION_SAID_SIZE + 1];
        size_t length = (size_t)(end - bytes) - done;

        memcpy(line, bytes + done, length);
        line[length] = '\0';
        station_control(&program->station, line, said);
        strcat(said, "\n");
        if (strcmp(program->control, "-") == 0)
            fputs(said, stdout);
        else
            link_send(link, said, strlen(said), 0);
        done += length + 1;
    }
    return (long)done;
}

static const struct link_handlers tcp_handlers = {.on_bytes = tcp_on_bytes};
static const struct link_handlers control_handlers = {.on_bytes = control_on_bytes};

static struct link_options link_options(struct program *program,
                                        const struct link_handlers *handlers)
{
    return (struct link_options){.loop = program->clockwork.loop,
                                 .links = &program->links,
                                 .handlers = handlers,
                                 .self = program};
}

static int bad_usage(const char *what, const char *value)
{
    fprintf(stderr, "sim-plc: %s: %s; see --help\n", what, value);
    return EXIT_USAGE;
}

static int parse_option(struct program *program, int option)
{
    switch (option) {
    case 'l':
        program->listen = optarg;
        return 0;
    case 'r':
        program->rtu = optarg;
        return 0;
    case 'L':
        program->rtu_listen = optarg;
        return 0;
    case 'W':
        program->wire_time = true;
        return 0;
    case 'p':
        program->rtu_pty = optarg;
        return 0;
    case 'b':
        program->baud = (unsigned)strtoul(optarg, NULL, 10);
        return 0;
    case 'u':
        program->units = optarg;
        return 0;
    case 's':
        program->speed = strtod(optarg, NULL);
        return 0;
    case 'e':
        program->seed = strtoull(optarg, NULL, 10);
        return 0;
    case 'f':
        if (program->n_faults == FAULTS_MAX)
            return bad_usage("--fault", "too many");
        program->faults[program->n_faults++] = optarg;
        return 0;
    case 'c':
        program->control = optarg;
        return 0;
    case 'd':
        program->watchdog_ms = strtoll(optarg, NULL, 10);
        return 0;
    case 'w':
        program->log_writes = true;
        return 0;
    case 'h':
        fputs(help, stdout);
        exit(0);
    default:
        return EXIT_USAGE;
    }
}

static int parse_arguments(struct program *program, int argc, char **argv)
{
    static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
                                            {"rtu", required_argument, NULL, 'r'},
                                            {"rtu-pty", required_argument, NULL, 'p'},
                                            {"baud", required_argument, NULL, 'b'},
                                            {"units", required_argument, NULL, 'u'},
                                            {"speed", required_argument, NULL, 's'},
                                            {"seed", required_argument, NULL, 'e'},
                                            {"fault", required_argument, NULL, 'f'},
                                            {"control", required_argument, NULL, 'c'},
                                            {"log-writes", no_argument, NULL, 'w'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"rtu-listen", required_argument, NULL, 'L'},
                                            {"wire-time", no_argument, NULL, 'W'},
                                            {"watchdog", required_argument, NULL, 'd'},
                                            {NULL, 0, NULL, 0}};
    int option, code = 0;

    while (!code && (option = getopt_long(argc, argv, "", options, NULL)) != -1)
        code = parse_option(program, option);
    if (code)
        return code;
    if (optind < argc)
        return bad_usage("unexpected argument", argv[optind]);
    if (!(program->speed > 0 && program->speed <= 10000))
        return bad_usage("--speed", "expected a number above 0, at most 10000");
    if (program->baud == 0)
        return bad_usage("--baud", "expected a rate such as 19200");
    if (!program->listen && !program->rtu && !program->rtu_pty && !program->rtu_listen)
        return bad_usage("nothing to serve", "give --listen, --rtu-listen, --rtu or --rtu-pty");
    return 0;
}

static int set_up_station(struct program *program)
{
    if (station_init(&program->station, program->units, program->seed) < 0)
        return bad_usage("--units: expected at most 16 different ids from 1 to 247",
                         program->units);
    program->station.on_write = program_on_write;
    program->station.self = program;
    for (size_t i = 0; i < program->n_faults; i++) {
        char line[64], said[STATION_SAID_SIZE];

        snprintf(line, sizeof line, "fault %s", program->faults[i]);
        if (station_control(&program->station, line, said) < 0)
            return bad_usage("--fault", program->faults[i]);
    }
    return 0;
}

static int open_device(struct program *program)
{
    struct link_options options = link_options(program, &program->rtu_handlers);
    struct link *link;
    int fd = terminal_open_device(program->rtu, program->baud);
    int rc;

    if (fd < 0)
        return fd;
    rc = link_open(&link, &options, fd, false);
    if (rc < 0)
        close(fd);
    return rc;
}

static int open_control(struct program *program)
{
    struct link_options options = link_options(program, &control_handlers);
    struct link *link;

    if (strcmp(program->control, "-") == 0)
        return link_open(&link, &options, STDIN_FILENO, true);
    if (!strchr(program->control, '/'))
        return -EINVAL; /* would be taken for a TCP address */
    return listener_open(&program->control_socket, &options, program->control);
}

static int cannot(const char *what, const char *value, int rc)
{
    fprintf(stderr, "sim-plc: %s %s: %s\n", what, value, strerror(-rc));
    return EXIT_UNAVAILABLE;
}

static int serve(struct program *program)
{
    struct link_options tcp = link_options(program, &tcp_handlers);
    struct link_options rtu = link_options(program, &program->rtu_handlers);
    int rc;

    if (program->listen && (rc = listener_open(&program->tcp, &tcp, program->listen)) < 0)
        return cannot("--listen", program->listen, rc);
    if (program->rtu_listen &&
        (rc = listener_open(&program->rtu_tcp, &rtu, program->rtu_listen)) < 0)
        return cannot("--rtu-listen", program->rtu_listen, rc);
    if (program->rtu && (rc = open_device(program)) < 0)
        return cannot("--rtu", program->rtu, rc);
    if (program->rtu_pty && (rc = terminal_open(&program->terminal, &rtu, program->rtu_pty)) < 0)
        return cannot("--rtu-pty", program->rtu_pty, rc);
    if (program->control && (rc = open_control(program)) < 0)
        return cannot("--control", program->control, rc);
    if (program->tcp)
        printf("listening port=%d\n", listener_port(program->tcp));
    else if (program->rtu_tcp)
        printf("listening port=%d\n", listener_port(program->rtu_tcp));
    else
        printf("serving rtu=%s\n", program->rtu ? program->rtu : program->rtu_pty);
    return clockwork_run(&program->clockwork) < 0 ? EXIT_UNAVAILABLE : 0;
}

int main(int argc, char **argv)
{
    static struct program program = {
        .speed = 1, .seed = 1, .watchdog_ms = 10000, .baud = 19200, .units = "1"};
    int code = parse_arguments(&program, argc, argv);

    if (!code)
        code = set_up_station(&program);
    if (code)
        return code;
    setlinebuf(stdout);
    program.rtu_handlers = (struct link_handlers){
        .on_bytes = rtu_on_bytes,
        .on_quiet = rtu_on_quiet,
        /* 3.5 characters of 11 bits, and room for a machine that is busy */
        .quiet_ms = 10 + 39 * 1000 / program.baud,
    };
    if (clockwork_open(&program.clockwork, program.speed, LINE_STEP_MS, program_step, &program) < 0)
        code = EXIT_UNAVAILABLE;
    else
        code = serve(&program);
    listener_close(program.tcp);
    listener_close(program.rtu_tcp);
    listener_close(program.control_socket);
    terminal_close(program.terminal);
    links_close(&program.links);
    clockwork_close(&program.clockwork);
    return code;
}
