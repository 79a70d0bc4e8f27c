/* The modem lines, which a pseudo-terminal does not have: this program's own ioctl() stands before
 * the C library's and keeps them. Then frames, and who holds a port. */
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

#define DTR 0x002 /* TIOCM_DTR and TIOCM_RTS */
#define RTS 0x004

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
    stand->settings = (struct link_settings){
        .url = stand->path, .max_line = 64, .backoff_first_ms = 1, .backoff_max_ms = 1};
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

static const struct link_handlers handlers = {on_up, on_line, on_lines_end, on_down};

static void begin(struct stand *stand)
{
    assert_int_equal(link_open(&stand->link, stand->loop, &stand->settings, &handlers, stand), 0);
}

static void opening_moves_no_line_unless_told_to(void **state)
{
    struct stand *stand = *state;

    begin(stand);
    run_for(stand, 20);
    assert_int_equal(stand->ups, 1);
    assert_int_equal(edges, 0);
    assert_int_equal(lines, DTR | RTS);
    link_close(stand->link);
    stand->settings.port.dtr = false;
    begin(stand);
    run_for(stand, 20);
    assert_int_equal(lines, RTS);
}

static void lines_that_come_in_one_go_end_together(void **state)
{
    struct stand *stand = *state;

    begin(stand);
    run_for(stand, 20);
    assert_int_equal(write(stand->master, "a\nb\nc", 5), 5);
    run_for(stand, 20);
    assert_string_equal(stand->heard, "a|b|.");
    assert_int_equal(write(stand->master, "d", 1), 1);
    run_for(stand, 20);
    assert_int_equal(write(stand->master, "e\n", 2), 2);
    run_for(stand, 20);
    assert_string_equal(stand->heard, "a|b|.cde|.");
}

static void a_reset_is_a_pulse_and_what_comes_meanwhile_is_dropped(void **state)
{
    struct stand *stand = *state;

    begin(stand);
    run_for(stand, 20);
    assert_int_equal(write(stand->master, "ha", 2), 2);
    run_for(stand, 20);
    link_reset(stand->link);
    assert_int_equal(lines, 0);
    link_send(stand->link, "to nobody");
    assert_int_equal(write(stand->master, "lf\nold\n", 7), 7);
    run_for(stand, 300);
    assert_int_equal(lines, DTR | RTS);
    assert_int_equal(edges, 2);
    assert_int_equal(write(stand->master, "READY\n", 6), 6);
    run_for(stand, 20);
    assert_string_equal(stand->heard, "READY|.");
    assert_int_equal(link_stats(stand->link).bytes_out, 0);
}

static void reset_on_open_is_one(void **state)
{
    struct stand *stand = *state;

    stand->settings.reset_on_open = true;
    begin(stand);
    run_for(stand, 20);
    assert_int_equal(lines, 0);
    run_for(stand, 300);
    assert_int_equal(lines, DTR | RTS);
    assert_int_equal(edges, 2);
}

static void a_port_lost_during_its_reset_is_opened_again(void **state)
{
    struct stand *stand = *state;

    begin(stand);
    run_for(stand, 20);
    link_reset(stand->link);
    close(stand->slave);
    close(stand->master); /* hangs up */
    run_for(stand, 300);
    assert_true(link_stats(stand->link).failures > 0);
    assert_int_equal(openpty(&stand->master, &stand->slave, stand->path, NULL, NULL), 0);
    run_for(stand, 100);
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
    run_for(stand, 30);
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
        TEST(lines_that_come_in_one_go_end_together),
        TEST(a_reset_is_a_pulse_and_what_comes_meanwhile_is_dropped),
        TEST(reset_on_open_is_one),
        TEST(a_port_lost_during_its_reset_is_opened_again),
        TEST(who_holds_a_port_is_said),
        cmocka_unit_test(frames_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
