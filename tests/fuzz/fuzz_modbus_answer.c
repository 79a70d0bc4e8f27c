/* The bytes of a server, replayed into the bus after a request: whatever comes, a value is only
 * ever taken from a frame that answers the question.
 *
 * data[0]: 1 RTU frames, 2 the last bytes become their CRC, 4 hangs up at the end, 8 and 16 the
 * table. data[1]: how much is asked for. data[2]: how many of the rest answer the first question;
 * what is left answers the second. */
#include "bus.h"
#include "dial.h"
#include "fuzz.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNIT 1
#define ADDRESS 7

enum { RTU = 1, WITH_CRC = 2, HANG_UP = 4 };

/* The far end of the wire, served by a thread. */
struct server {
    const uint8_t *parts[2]; /* borrowed */
    size_t sizes[2];
    uint8_t flags;
    int fd;
};

static int far_end;

/* In the place of the module that opens TCP connections. */
int dial(int *out_fd, const char *host, const char *port, int64_t timeout_ms, char *error,
         size_t error_size)
{
    int ends[2];

    (void)host;
    (void)port;
    (void)timeout_ms;
    (void)error;
    (void)error_size;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -errno;
    *out_fd = ends[0];
    far_end = ends[1];
    return 0;
}

/* MODBUS over Serial Line V1.02, appendix B. */
static uint16_t crc_of(const uint8_t *bytes, size_t size)
{
    uint16_t crc = 0xffff;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1);
    }
    return crc;
}

static void answer(const struct server *server, int part)
{
    size_t size = server->sizes[part];
    uint16_t crc = crc_of(server->parts[part], size);
    uint8_t tail[] = {(uint8_t)crc, (uint8_t)(crc >> 8)};

    send(server->fd, server->parts[part], size, MSG_NOSIGNAL);
    if (server->flags & WITH_CRC)
        send(server->fd, tail, sizeof tail, MSG_NOSIGNAL);
}

static void *serve(void *self)
{
    const struct server *server = self;
    uint8_t request[300];

    for (int part = 0; part < 2; part++) {
        if (recv(server->fd, request, sizeof request, 0) <= 0)
            break;
        answer(server, part);
    }
    if (server->flags & HANG_UP)
        shutdown(server->fd, SHUT_WR);
    return NULL;
}

/* Whether the bytes hold an answer of that function with just these cells. */
static bool carries(const uint8_t *bytes, size_t size, const struct span *span,
                    const uint16_t *cells)
{
    static const uint8_t functions[] = {
        [TABLE_COIL] = 1, [TABLE_DISCRETE] = 2, [TABLE_HOLDING] = 3, [TABLE_INPUT] = 4};
    bool bits = table_is_bits(span->table);
    size_t n = bits ? (span->count + 7) / 8 : span->count * 2;

    for (size_t at = 0; at + 2 + n <= size; at++) {
        const uint8_t *data = bytes + at + 2;
        bool same = bytes[at] == functions[span->table] && bytes[at + 1] == n;

        for (unsigned i = 0; i < span->count && same; i++)
            same =
                cells[i] == (bits ? data[i / 8] >> i % 8 & 1 : data[2 * i] << 8 | data[2 * i + 1]);
        if (same)
            return true;
    }
    return false;
}

static void ask(struct bus *bus, const struct span *span, const uint8_t *bytes, size_t size)
{
    uint16_t cells[TABLE_BITS_MAX];

    memset(cells, 0xa5, sizeof cells);
    if (bus_read(bus, UNIT, span, cells) == 0 && !carries(bytes, size, span, cells))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct endpoint endpoint;
    struct bus_options options = {.endpoint = &endpoint, .timeout_ms = 2, .connect_timeout_ms = 2};
    struct server server = {0};
    struct span span = {.address = ADDRESS};
    struct bus *bus;
    pthread_t thread;
    char error[128];

    if (size < 3)
        return 0;
    server.flags = data[0];
    endpoint_parse(&endpoint, server.flags & RTU ? "rtu+tcp://x" : "tcp://x", error, sizeof error);
    span.table = (enum table)(server.flags >> 3 & 3);
    span.count = 1 + data[1] % TABLE_REGISTERS_MAX;
    server.sizes[0] = data[2] < size - 3 ? data[2] : size - 3;
    server.parts[0] = data + 3;
    server.sizes[1] = size - 3 - server.sizes[0];
    server.parts[1] = data + 3 + server.sizes[0];
    if (bus_open(&bus, &options) != 0 || bus_connect(bus, error, sizeof error) != 0)
        abort();
    server.fd = far_end;
    pthread_create(&thread, NULL, serve, &server);
    ask(bus, &span, data + 3, size - 3);
    ask(bus, &span, data + 3, size - 3);
    bus_close(bus);
    pthread_join(thread, NULL);
    close(server.fd);
    return 0;
}
