/* connection.c against sockets that go away. */
#include "connection.h"

#include "bus.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define N_FILLERS 8 /* more than a listener without room holds */

struct fixture {
    struct health *health;
    struct tally tally;
    struct bus_settings settings;
    struct connection connection;
    int listener;
    struct sockaddr_in address;
};

static void begin(struct fixture *fixture)
{
    socklen_t size = sizeof fixture->address;

    memset(fixture, 0, sizeof *fixture);
    assert_int_equal(health_open(&fixture->health), 0);
    tally_open(&fixture->tally, fixture->health);
    fixture->address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fixture->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fixture->listener, (struct sockaddr *)&fixture->address, size), 0);
    assert_int_equal(listen(fixture->listener, 0), 0);
    getsockname(fixture->listener, (struct sockaddr *)&fixture->address, &size);
    fixture->settings = (struct bus_settings){.endpoint = {.name = "127.0.0.1"},
                                              .timeout_ms = 5000,
                                              .connect_timeout_ms = 200,
                                              .backoff_first_ms = 100,
                                              .backoff_max_ms = 100};
    snprintf(fixture->settings.endpoint.port, sizeof fixture->settings.endpoint.port, "%u",
             ntohs(fixture->address.sin_port));
    assert_int_equal(connection_open(&fixture->connection, &fixture->settings, &fixture->tally), 0);
}

static void end(struct fixture *fixture)
{
    connection_close(&fixture->connection);
    close(fixture->listener);
    health_close(fixture->health);
}

/* Nobody accepts these, so that the next one to dial hears nothing. */
static void fill(const struct fixture *fixture, int fillers[N_FILLERS])
{
    for (size_t i = 0; i < N_FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        connect(fillers[i], (const struct sockaddr *)&fixture->address, sizeof fixture->address);
    }
    usleep(50000); /* the first of them have their places by then */
}

/* Else the link would count as up with nothing behind it, and its descriptor might be the next
 * bus's. */
static void test_a_host_that_hung_up_and_is_silent_now_is_a_lost_link(void **state)
{
    const struct span span = {TABLE_HOLDING, 0, 1};
    struct fixture fixture;
    int fillers[N_FILLERS];
    char error[256];
    uint16_t cell;
    int result;

    (void)state;
    begin(&fixture);
    assert_int_equal(connection_dial(&fixture.connection, error, sizeof error), 0);
    close(accept(fixture.listener, NULL, NULL));
    fill(&fixture, fillers);
    result = connection_read(&fixture.connection, 1, &span, &cell);
    assert_true(bus_link_lost(result));
    assert_true(bus_link_lost(connection_write(&fixture.connection, 1, &span, &cell)));
    for (size_t i = 0; i < N_FILLERS; i++)
        close(fillers[i]);
    end(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_host_that_hung_up_and_is_silent_now_is_a_lost_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
