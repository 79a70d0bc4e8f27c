/* The modem lines and the frame, which a pseudo-terminal does not have: this program's own ioctl()
 * stands before the C library's and keeps them. Then who may open a port, and who holds one. */
#include "holder.h"
#include "link.h"
#include "port.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <asm/ioctls.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pty.h>
#include <sys/file.h>

#define DTR 0x002 /* TIOCM_DTR and TIOCM_RTS */
#define RTS 0x004

/* As the kernel has it; <asm/termbits.h> does not go with <pty.h>. */
struct termios2 {
    unsigned iflag, oflag, cflag, lflag;
    unsigned char line, cc[19];
    unsigned ispeed, ospeed;
};

static struct termios2 wanted;
static int lines = DTR | RTS;
static int edges; /* of DTR */

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    int before = lines;
    int *given;

    va_start(arguments, request);
    given = va_arg(arguments, int *);
    va_end(arguments);
    if (request == TCSETS2)
        memcpy(&wanted, given, sizeof wanted);
    if (request == TIOCMGET)
        *given = lines;
    else if (request == TIOCMBIS)
        lines |= *given;
    else if (request == TIOCMBIC)
        lines &= ~*given;
    else
        return (int)syscall(SYS_ioctl, fd, request, given);
    edges += ((lines ^ before) & DTR) != 0;
    return 0;
}

struct stand {
    int master;
    int slave; /* keeps the master from hanging up */
    char path[64];
    struct loop *loop;
    struct loop_timer *timer;
    struct link *link;
    struct link_settings settings;
    char heard[128];
    int ups;
};

static int setup(void **state)
{
    struct stand *stand = calloc(1, sizeof *stand);

    assert_int_equal(openpty(&stand->master, &stand->slave, stand->path, NULL, NULL), 0);
    assert_int_equal(loop_open(&stand->loop), 0);
    stand->settings = (struct link_settings){.url = stand->path,
                                             .line_ends = "\r\n",
                                             .request_end = "\r",
                                             .max_line = 64,
                                             .backoff_first_ms = 1,
                                             .backoff_max_ms = 1};
    stand->settings.port = (struct port_settings){.baud = 115200, .dtr = true, .rts = true};
    assert_int_equal(port_read_frame(&stand->settings.port, "8N1"), 0);
    lines = DTR | RTS;
    edges = 0;
    *state = stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;

    link_close(stand->link);
    loop_timer_close(stand->timer);
    loop_close(stand->loop);
    close(stand->master);
    close(stand->slave);
    free(stand);
    return 0;
}

static void stop(void *self)
{
    struct stand *stand = self;

    loop_stop(stand->loop);
}

static void run_for(struct stand *stand, int64_t ms)
{
    if (!stand->timer)
        assert_int_equal(loop_timer_open(&stand->timer, stand->loop, stop, stand), 0);
    loop_timer_set(stand->timer, loop_now(stand->loop) + ms);
    assert_int_equal(loop_run(stand->loop), 0);
}

/* Whatever the machine is busy with; what does not come makes the assertion after it fail. */
#define RUN_UNTIL(condition)                                   \
    for (int turns = 0; turns < 2000 && !(condition); turns++) \
    run_for(stand, 5)

static void on_up(void *self)
{
    struct stand *stand = self;

    stand->ups++;
}

static void on_line(void *self, const char *line)
{
    struct stand *stand = self;

    strcat(stand->heard, line);
    strcat(stand->heard, "|");
}

static void on_lines_end(void *self)
{
    struct stand *stand = self;

    strcat(stand->heard, ".");
}

static void on_down(void *self, const char *reason)
{
    struct stand *stand = self;

    snprintf(stand->heard, sizeof stand->heard, "%s", reason);
}

static const struct link_handlers handlers = {
    .on_up = on_up, .on_line = on_line, .on_lines_end = on_lines_end, .on_down = on_down};

static void begin(struct stand *stand)
{
    assert_int_equal(link_open(&stand->link, stand->loop, &stand->settings, &handlers, stand), 0);
}

static void opening_moves_no_line_unless_told_to(void **state)
{
    struct stand *stand = *state;

    begin(stand);
    RUN_UNTIL(stand->ups > 0);
    assert_int_equal(stand->ups, 1);
    assert_int_equal(edges, 0);
    assert_int_equal(lines, DTR | RTS);
    link_close(stand->link);
    stand->settings.port.dtr = false;
    begin(stand);
    RUN_UNTIL(stand->ups > 1);
    assert_int_equal(lines, RTS);
}

static void a_terminal_is_set_to_what_is_wanted_and_nothing_else(void **state)
{
    struct stand *stand = *state;
    struct termios2 got;

    stand->settings.port.baud = 250000; /* none of the classic ones */
    assert_int_equal(port_read_frame(&stand->settings.port, "7E2"), 0);
    begin(stand);
    RUN_UNTIL(stand->ups > 0);
    assert_int_equal(stand->ups, 1);
    assert_int_equal(wanted.cflag & (CSIZE | PARENB | PARODD | CSTOPB), CS7 | PARENB | CSTOPB);
    assert_int_equal(wanted.cflag & (HUPCL | CRTSCTS), 0); /* closing it resets no board */
    assert_int_equal(wanted.cflag & (CLOCAL | CREAD), CLOCAL | CREAD);
    assert_int_equal(wanted.iflag & (IXON | IXOFF | ICRNL | ISTRIP), 0);
    assert_int_equal(wanted.oflag | wanted.lflag, 0);
    assert_int_equal(ioctl(stand->slave, TCGETS2, &got), 0);
    assert_int_equal(got.ospeed, 250000);
    assert_int_equal(got.ispeed, 250000);
}

static void nobody_else_gets_at_an_open_port(void **state)
{
    struct stand *stand = *state;
    int exclusive = 0;

    begin(stand);
    RUN_UNTIL(stand->ups > 0);
    assert_int_equal(ioctl(stand->slave, TIOCGEXCL, &exclusive), 0);
    assert_int_equal(exclusive, 1);
    assert_int_equal(flock(stand->slave, LOCK_EX | LOCK_NB), -1);
    link_close(stand->link);
    stand->link = NULL;
    assert_int_equal(flock(stand->slave, LOCK_EX | LOCK_NB), 0);
}

static void a_request_goes_out_with_its_checksum_and_end(void **state)
{
    struct stand *stand = *state;
    char sent[16] = "";

    stand->settings.checksum = CHECKSUM_NMEA;
    stand->settings.sums_requests = true;
    begin(stand);
    RUN_UNTIL(stand->ups > 0);
    link_send(stand->link, "$A,1");
    assert_int_equal(read(stand->master, sent, sizeof sent - 1), 8);
    assert_string_equal(sent, "$A,1*5C\r");
    for (int i = 0; i < 4000; i++) /* nobody reads: what does not fit is dropped and counted */
        link_send(stand->link, "$A,1");
    assert_in_range(link_stats(stand->link).overruns, 1, 3999);
}

static void lines_that_come_in_one_go_end_together(void **state)
{
    struct stand *stand = *state;

    begin(stand);
    RUN_UNTIL(stand->ups > 0);
    assert_int_equal(write(stand->master, "a\nb\nc", 5), 5);
    RUN_UNTIL(link_stats(stand->link).bytes_in == 5);
    assert_string_equal(stand->heard, "a|b|.");
    assert_int_equal(write(stand->master, "d", 1), 1);
    RUN_UNTIL(link_stats(stand->link).bytes_in == 6);
    assert_int_equal(write(stand->master, "e\n", 2), 2);
    RUN_UNTIL(link_stats(stand->link).bytes_in == 8);
    assert_string_equal(stand->heard, "a|b|.cde|.");
}

static void a_reset_is_a_pulse_and_what_comes_meanwhile_is_dropped(void **state)
{
    struct stand *stand = *state;

    begin(stand);
    RUN_UNTIL(stand->ups > 0);
    assert_int_equal(write(stand->master, "ha", 2), 2);
    RUN_UNTIL(link_stats(stand->link).bytes_in == 2);
    link_reset(stand->link);
    assert_int_equal(lines, 0);
    link_send(stand->link, "to nobody");
    assert_int_equal(write(stand->master, "lf\nold\n", 7), 7);
    RUN_UNTIL(lines == (DTR | RTS));
    assert_int_equal(lines, DTR | RTS);
    assert_int_equal(edges, 2);
    assert_int_equal(write(stand->master, "READY\n", 6), 6);
    RUN_UNTIL(stand->heard[0] != '\0');
    assert_string_equal(stand->heard, "READY|.");
    assert_int_equal(link_stats(stand->link).bytes_out, 0);
}

static void reset_on_open_is_one(void **state)
{
    struct stand *stand = *state;

    stand->settings.reset_on_open = true;
    begin(stand);
    RUN_UNTIL(stand->ups > 0);
    assert_int_equal(lines, 0);
    RUN_UNTIL(lines == (DTR | RTS));
    assert_int_equal(lines, DTR | RTS);
    assert_int_equal(edges, 2);
}

static void a_port_lost_during_its_reset_is_opened_again(void **state)
{
    struct stand *stand = *state;

    begin(stand);
    RUN_UNTIL(stand->ups > 0);
    link_reset(stand->link);
    close(stand->slave);
    close(stand->master); /* hangs up */
    RUN_UNTIL(link_stats(stand->link).failures > 0);
    assert_true(link_stats(stand->link).failures > 0);
    assert_int_equal(openpty(&stand->master, &stand->slave, stand->path, NULL, NULL), 0);
    RUN_UNTIL(stand->ups == 2);
    assert_int_equal(stand->ups, 2);
}

static void who_holds_a_port_is_said(void **state)
{
    struct stand *stand = *state;
    char name[HOLDER_NAME_SIZE];
    struct port *other = NULL;

    close(stand->slave);
    stand->slave = -1;
    assert_int_equal(holder_find(stand->path, name), 0);
    assert_int_equal(port_open(&other, stand->path, &stand->settings.port), 0);
    assert_int_equal(holder_find(stand->path, name), getpid());
    begin(stand);
    RUN_UNTIL(stand->heard[0] != '\0');
    assert_string_equal(stand->heard, "in use by another device of this configuration");
    port_close(other);
    assert_int_equal(holder_find("/dev/null/none", name), 0);
    assert_int_equal(holder_find("/etc/passwd", name), 0);
}

static void frames_are_read(void **state)
{
    struct port_settings settings;

    (void)state;
    assert_int_equal(port_read_frame(&settings, "7E2"), 0);
    assert_int_equal(settings.data_bits, 7);
    assert_int_equal(settings.parity, PORT_PARITY_EVEN);
    assert_int_equal(settings.stop_bits, 2);
    assert_int_equal(port_read_frame(&settings, "8O1"), 0);
    for (const char *const *bad =
             (const char *const[]){"", "8N", "9N1", "8X1", "8N3", "8N1 ", NULL};
         *bad; bad++)
        assert_true(port_read_frame(&settings, *bad) < 0);
    assert_int_equal(port_check("usb:2341:0043"), 0);
    assert_int_equal(port_check("usb:1A86:7523:abc"), 0);
    for (const char *const *bad = (const char *const[]){"usb:", "usb:1:2", "usb:2341:0043:", NULL};
         *bad; bad++)
        assert_true(port_check(*bad) < 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(opening_moves_no_line_unless_told_to),
        TEST(a_terminal_is_set_to_what_is_wanted_and_nothing_else),
        TEST(nobody_else_gets_at_an_open_port),
        TEST(a_request_goes_out_with_its_checksum_and_end),
        TEST(lines_that_come_in_one_go_end_together),
        TEST(a_reset_is_a_pulse_and_what_comes_meanwhile_is_dropped),
        TEST(reset_on_open_is_one),
        TEST(a_port_lost_during_its_reset_is_opened_again),
        TEST(who_holds_a_port_is_said),
        cmocka_unit_test(frames_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
