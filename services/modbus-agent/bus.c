#include "bus.h"

#include "clock.h"
#include "dial.h"

#include <errno.h>
#include <modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <unistd.h>

#define QUIET_MS 20   /* a line that was silent for so long has no answer under way */
#define MBAP_HEADER 7 /* transaction 2, protocol 2, length 2, unit 1: TCP/IP Guide V1.0b, 3.1.3 */
#define WRITE_COIL 5  /* functions: specification, section 6 */
#define WRITE_REGISTER 6
#define WRITE_REGISTERS 16
#define NO_FUNCTION 0x80u /* set in the function code of an exception */

struct bus {
    const struct endpoint *endpoint;       /* borrowed */
    const struct tls_options *tls_options; /* borrowed */
    int64_t timeout_ms;
    int64_t connect_timeout_ms;
    modbus_t *modbus;     /* owned; NULL while there is no link */
    struct tls *tls;      /* owned; between `fd` and the wire; NULL: nothing is */
    int fd;               /* its descriptor; -1 while there is no link */
    uint16_t transaction; /* the number of the last request on this connection */
    uint64_t late_replies;
};

int bus_open(struct bus **out, const struct bus_options *options)
{
    struct bus *bus = calloc(1, sizeof *bus);

    if (!bus)
        return -ENOMEM;
    bus->endpoint = options->endpoint;
    bus->tls_options = options->tls;
    bus->timeout_ms = options->timeout_ms;
    bus->connect_timeout_ms = options->connect_timeout_ms;
    bus->fd = -1;
    *out = bus;
    return 0;
}

void bus_close(struct bus *bus)
{
    if (!bus)
        return;
    bus_disconnect(bus);
    free(bus);
}

void bus_disconnect(struct bus *bus)
{
    if (!bus->modbus)
        return;
    modbus_close(bus->modbus);
    modbus_free(bus->modbus);
    bus->modbus = NULL;
    bus->fd = -1;
    tls_close(bus->tls);
    bus->tls = NULL;
}

/* The context for frames of the endpoint's kind; NULL where there is no memory. */
static modbus_t *new_context(const struct endpoint *line)
{
    if (line->serial)
        return modbus_new_rtu(line->name, line->baud, line->parity, 8, line->stop_bits);
    return modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT); /* never dialled by it */
}

static int connect_tcp(struct bus *bus, char *error, size_t error_size)
{
    int fd;
    int rc = dial(&fd, bus->endpoint->name, bus->endpoint->port, bus->connect_timeout_ms, error,
                  error_size);

    if (rc == 0 && bus->endpoint->tls)
        rc = tls_open(&bus->tls, &fd, bus->tls_options, fd, bus->connect_timeout_ms, error,
                      error_size);
    if (rc != 0)
        return rc;
    bus->modbus = new_context(bus->endpoint);
    if (!bus->modbus) {
        close(fd);
        tls_close(bus->tls);
        bus->tls = NULL;
        return -ENOMEM;
    }
    modbus_set_socket(bus->modbus, fd);
    return 0;
}

/* How the line is switched between sending and listening. Returns 0, or -1 with errno. */
static int switch_line(modbus_t *modbus, const struct endpoint *line)
{
    if (line->rs485)
        return modbus_rtu_set_serial_mode(modbus, MODBUS_RTU_RS485);
    if (line->rts == ENDPOINT_RTS_NONE)
        return 0;
    if (modbus_rtu_set_rts(modbus, line->rts == ENDPOINT_RTS_UP ? MODBUS_RTU_RTS_UP
                                                                : MODBUS_RTU_RTS_DOWN) != 0)
        return -1;
    return line->rts_delay_us < 0 ? 0 : modbus_rtu_set_rts_delay(modbus, line->rts_delay_us);
}

static int connect_serial(struct bus *bus, char *error, size_t error_size)
{
    const struct endpoint *line = bus->endpoint;

    bus->modbus = new_context(line);
    if (!bus->modbus)
        return -ENOMEM;
    if (modbus_connect(bus->modbus) != 0) {
        int rc = errno > 0 ? -errno : -EIO;

        snprintf(error, error_size, "%s: %s", line->name, strerror(-rc));
        modbus_free(bus->modbus);
        bus->modbus = NULL;
        return rc;
    }
    if (switch_line(bus->modbus, line) != 0) {
        int rc = errno > 0 ? -errno : -EIO;

        snprintf(error, error_size, "%s: cannot be switched as %s asks: %s", line->name,
                 line->rs485 ? "rs485" : "rts", strerror(-rc));
        bus_disconnect(bus);
        return rc;
    }
    return 0;
}

int bus_connect(struct bus *bus, char *error, size_t error_size)
{
    int rc;

    bus_disconnect(bus);
    snprintf(error, error_size, "out of memory");
    rc = bus->endpoint->serial && !bus->endpoint->gateway ? connect_serial(bus, error, error_size)
                                                          : connect_tcp(bus, error, error_size);
    if (rc != 0)
        return rc;
    bus->fd = modbus_get_socket(bus->modbus);
    bus->transaction = 0;
    if (bus->fd >= FD_SETSIZE) { /* libmodbus waits by select(), which would end the process */
        bus_disconnect(bus);
        snprintf(error, error_size,
                 "too many open descriptors for libmodbus (%d at most): give some buses to a "
                 "second agent",
                 FD_SETSIZE);
        return -EMFILE;
    }
    modbus_set_response_timeout(bus->modbus, (uint32_t)(bus->timeout_ms / 1000),
                                (uint32_t)(bus->timeout_ms % 1000 * 1000));
    modbus_set_byte_timeout(bus->modbus, 0, 0); /* the one above is for the whole answer */
    return 0;
}

/* Throws away what came unasked. `quiet_ms` 0 takes only what is there already; else until the line
 * was silent for so long, but no longer than a time-out. Returns the bytes, or -errno: link gone.
 */
static int drain(struct bus *bus, uint8_t *bytes, size_t size, int quiet_ms)
{
    struct pollfd link = {.fd = bus->fd, .events = POLLIN};
    int64_t end_ms = quiet_ms ? clock_now_ms() + bus->timeout_ms : 0;
    int total = 0;

    while (poll(&link, 1, quiet_ms) > 0) {
        ssize_t n = link.revents & POLLIN ? read(bus->fd, bytes, size) : 0;

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return -errno;
        if (n == 0)
            return -ECONNRESET; /* readable and empty: hung up */
        total += n > 0 ? (int)n : 0;
        if (quiet_ms ? clock_now_ms() >= end_ms : n < (ssize_t)size)
            break;
    }
    return total;
}

/* Answers in what was drained: over TCP by their lengths, on a line all that came is taken for one.
 */
static uint64_t count_answers(const struct bus *bus, const uint8_t *bytes, size_t size)
{
    uint64_t answers = 0;
    size_t at = 0;

    if (bus->endpoint->serial)
        return 1;
    while (at + MBAP_HEADER <= size) {
        at += 6 + (size_t)(bytes[at + 4] << 8 | bytes[at + 5]);
        answers++;
    }
    return answers ? answers : 1;
}

/* Before each request: nothing old may be left to be read as its answer. Notices on the way that
 * the other side has hung up (many do after idle seconds), while nothing is lost by it yet. */
static int clear_the_way(struct bus *bus, unsigned unit)
{
    uint8_t bytes[2 * MODBUS_TCP_MAX_ADU_LENGTH]; /* hardly ever is there more than one */
    int n = drain(bus, bytes, sizeof bytes, 0);

    if (n < 0)
        return -ESTALE;
    if (n > 0)
        bus->late_replies += count_answers(bus, bytes, (size_t)n);
    modbus_set_slave(bus->modbus, (int)unit);
    bus->transaction++;
    return 0;
}

static void unpack(const struct span *span, const uint8_t *data, uint16_t *cells)
{
    for (unsigned i = 0; i < span->count; i++)
        cells[i] = table_is_bits(span->table) ? data[i / 8] >> i % 8 & 1
                                              : (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
}

/* The question in flight, and what its answer is held against. */
struct question {
    const struct span *span;
    uint8_t unit;
    uint8_t function;
    uint16_t *cells; /* NULL: a write */
};

/* Over TCP the number, the unit and the length must be those of the question (TCP/IP Guide V1.0b,
 * 3.1.3), of which libmodbus would check the first only. */
static bool frame_fits(const struct bus *bus, const struct question *question, const uint8_t *frame,
                       int n)
{
    if (bus->endpoint->serial)
        return n > 0 && frame[0] == question->unit; /* libmodbus has checked the CRC */
    return (frame[0] << 8 | frame[1]) == bus->transaction && (frame[2] | frame[3]) == 0 &&
           (frame[4] << 8 | frame[5]) == n - 6 && frame[6] == question->unit;
}

/* Holds a whole frame against the question. Returns as bus_read() does, -EAGAIN: not its answer. */
static int take(const struct bus *bus, const struct question *question, const uint8_t *frame, int n)
{
    const uint8_t *pdu = frame + (bus->endpoint->serial ? 1 : MBAP_HEADER);
    unsigned bytes = table_is_bits(question->span->table) ? (question->span->count + 7) / 8
                                                          : question->span->count * 2;

    if (!frame_fits(bus, question, frame, n))
        return -EAGAIN;
    if (pdu[0] == (question->function | NO_FUNCTION))
        return pdu[1] ? pdu[1] : -EBADMSG;
    if (pdu[0] != question->function)
        return -EAGAIN;
    if (!question->cells)
        return 0;
    if (pdu[1] != bytes)
        return -EAGAIN;
    unpack(question->span, pdu + 2, question->cells);
    return 0;
}

static int result_of(struct bus *bus, int error)
{
    uint8_t bytes[512];

    if (error == ETIMEDOUT)
        return -ETIMEDOUT;
    if (error < MODBUS_ENOBASE)
        return error > 0 ? -error : -EIO;
    return drain(bus, bytes, sizeof bytes, QUIET_MS) < 0 ? -ECONNRESET : -EBADMSG;
}

/* Of the two envelopes libmodbus makes the one with a CRC. Its other one has the number 0 always,
 * when the request is not its own. Returns 0 or -1 with errno. */
static int send_request(const struct bus *bus, uint8_t *request, int size)
{
    uint8_t frame[MODBUS_TCP_MAX_ADU_LENGTH] = {(uint8_t)(bus->transaction >> 8),
                                                (uint8_t)bus->transaction,
                                                0,
                                                0,
                                                (uint8_t)(size >> 8),
                                                (uint8_t)size};

    if (bus->endpoint->serial)
        return modbus_send_raw_request(bus->modbus, request, size) > 0 ? 0 : -1;
    memcpy(frame + MBAP_HEADER - 1, request, (size_t)size);
    size += MBAP_HEADER - 1;
    errno = EIO; /* should less than all be sent, which no empty socket does */
    return send(bus->fd, frame, (size_t)size, MSG_NOSIGNAL) == size ? 0 : -1;
}

/* Sends a request, which begins with the unit, and waits for its answer. What comes in between is
 * most likely the late answer to an earlier question: then there is one more time-out for the right
 * one to come. */
static int exchange(struct bus *bus, const struct question *question, uint8_t *request, int size)
{
    uint8_t frame[MODBUS_MAX_ADU_LENGTH];
    int64_t end_ms = 0;
    int rc = bus->modbus ? clear_the_way(bus, question->unit) : -ENOTCONN;

    if (rc != 0)
        return rc;
    if (send_request(bus, request, size) != 0)
        return result_of(bus, errno);
    do {
        int n = modbus_receive_confirmation(bus->modbus, frame);

        if (n < 0)
            return result_of(bus, errno);
        rc = take(bus, question, frame, n);
        if (rc != -EAGAIN)
            return rc;
        bus->late_replies++;
        if (end_ms == 0)
            end_ms = clock_now_ms() + bus->timeout_ms;
    } while (clock_now_ms() < end_ms);
    return -EBADMSG;
}

int bus_read(struct bus *bus, unsigned unit, const struct span *span, uint16_t *cells)
{
    static const uint8_t functions[] = {
        [TABLE_COIL] = 1, [TABLE_DISCRETE] = 2, [TABLE_HOLDING] = 3, [TABLE_INPUT] = 4};
    const struct question question = {span, (uint8_t)unit, functions[span->table], cells};
    uint8_t request[] = {
        (uint8_t)unit,          question.function,           (uint8_t)(span->address >> 8),
        (uint8_t)span->address, (uint8_t)(span->count >> 8), (uint8_t)span->count};

    return exchange(bus, &question, request, sizeof request);
}

/* Behind the address: the value, or quantity, bytes and values. Returns the request's size. */
static int put_cells(uint8_t *request, const struct question *question, const uint16_t *cells)
{
    unsigned count = question->span->count;
    int at = 4;

    if (question->function == WRITE_COIL) {
        request[at++] = cells[0] ? 0xff : 0;
        request[at++] = 0;
        return at;
    }
    if (question->function == WRITE_REGISTERS) {
        request[at++] = (uint8_t)(count >> 8);
        request[at++] = (uint8_t)count;
        request[at++] = (uint8_t)(2 * count);
    }
    for (unsigned i = 0; i < count; i++) {
        request[at++] = (uint8_t)(cells[i] >> 8);
        request[at++] = (uint8_t)cells[i];
    }
    return at;
}

int bus_write(struct bus *bus, unsigned unit, const struct span *span, const uint16_t *cells)
{
    const uint8_t function = span->table == TABLE_COIL ? WRITE_COIL
                             : span->count == 1        ? WRITE_REGISTER
                                                       : WRITE_REGISTERS;
    const struct question question = {span, (uint8_t)unit, function, NULL};
    uint8_t request[MODBUS_MAX_PDU_LENGTH] = {
        (uint8_t)unit, function, (uint8_t)(span->address >> 8), (uint8_t)span->address};

    return exchange(bus, &question, request, put_cells(request, &question, cells));
}

const char *bus_about(const struct bus *bus)
{
    return bus->tls ? tls_about(bus->tls) : "";
}

uint64_t bus_late_replies(const struct bus *bus)
{
    return bus->late_replies;
}

bool bus_link_lost(int result)
{
    return result < 0 && result != -ETIMEDOUT && result != -EBADMSG;
}

const char *bus_reason(int result)
{
    static const char *const exceptions[] = {
        "exception_0", "exception_1", "exception_2", "exception_3", "exception_4",  "exception_5",
        "exception_6", "exception_7", "exception_8", "exception_9", "exception_10", "exception_11"};

    /* A frame that makes no sense is none (Serial Line V1.02, section 2.4.2): no answer in time. */
    if (result <= 0)
        return "timeout";
    return (size_t)result < sizeof exceptions / sizeof exceptions[0] ? exceptions[result]
                                                                     : exceptions[0];
}
