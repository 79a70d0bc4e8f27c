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
#include <unistd.h>

#define QUIET_MS 20   /* a line that was silent for so long has no answer under way */
#define MBAP_HEADER 7 /* transaction 2, protocol 2, length 2, unit 1: TCP/IP Guide V1.0b, 3.1.3 */
#define NO_FUNCTION 0x80u /* set in the function code of an exception */

struct bus {
    const struct endpoint *endpoint;       /* borrowed */
    const struct tls_options *tls_options; /* borrowed */
    int64_t timeout_ms;
    int64_t connect_timeout_ms;
    modbus_t *modbus; /* owned; NULL while there is no link */
    struct tls *tls;  /* owned; between `fd` and the wire; NULL: nothing is */
    int fd;           /* its descriptor */
    /* The number of the last request on this connection. libmodbus counts from 1 for each context
     * and does not show it; should that ever change, a late answer costs a time-out, nothing worse.
     */
    uint16_t transaction;
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
        snprintf(error, error_size, "too many open descriptors for libmodbus (%d at most)",
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
    uint8_t bytes[4096];
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

/* The question in flight, as far as an answer can be held against it. */
struct question {
    const struct span *span;
    uint8_t function;
    uint16_t *cells; /* NULL: a write */
};

/* Holds a whole frame against the question. Returns as bus_read() does, -EAGAIN: not its answer. */
static int take(const struct bus *bus, const struct question *question, const uint8_t *frame, int n)
{
    const uint8_t *pdu = frame + (bus->endpoint->serial ? 1 : MBAP_HEADER);
    unsigned bytes = table_is_bits(question->span->table) ? (question->span->count + 7) / 8
                                                          : question->span->count * 2;

    if (n == 0) /* libmodbus: on a line, of another unit */
        return -EAGAIN;
    if (!bus->endpoint->serial && (frame[0] << 8 | frame[1]) != bus->transaction)
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
    if (error > MODBUS_ENOBASE && error < EMBBADCRC)
        return error - MODBUS_ENOBASE;
    if (error < MODBUS_ENOBASE)
        return error > 0 ? -error : -EIO;
    return drain(bus, bytes, sizeof bytes, QUIET_MS) < 0 ? -ECONNRESET : -EBADMSG;
}

/* The frame that came was not the answer: most likely the late one to an earlier question, and the
 * right one is still to come. Waits for it for one more time-out. */
static int wait_further(struct bus *bus, const struct question *question)
{
    int64_t end_ms = clock_now_ms() + bus->timeout_ms;
    uint8_t frame[MODBUS_MAX_ADU_LENGTH];
    int rc;

    do {
        int n = modbus_receive_confirmation(bus->modbus, frame);

        bus->late_replies++; /* the one before */
        if (n < 0)
            return result_of(bus, errno);
        rc = take(bus, question, frame, n);
    } while (rc == -EAGAIN && clock_now_ms() < end_ms);
    return rc == -EAGAIN ? -EBADMSG : rc;
}

/* What libmodbus's return value means. Its EMBBADDATA is also "another transaction". */
static int settle(struct bus *bus, const struct question *question, int rc)
{
    if (rc >= 0)
        return 0;
    if (errno == EMBBADDATA || errno == EMBBADSLAVE)
        return wait_further(bus, question);
    return result_of(bus, errno);
}

static int read_bits(struct bus *bus, const struct span *span, uint16_t *cells)
{
    uint8_t bits[TABLE_BITS_MAX];
    int address = (int)span->address;
    int count = (int)span->count;
    int rc = span->table == TABLE_COIL ? modbus_read_bits(bus->modbus, address, count, bits)
                                       : modbus_read_input_bits(bus->modbus, address, count, bits);

    for (int i = 0; rc >= 0 && i < count; i++)
        cells[i] = bits[i];
    return rc;
}

int bus_read(struct bus *bus, unsigned unit, const struct span *span, uint16_t *cells)
{
    static const uint8_t functions[] = {
        [TABLE_COIL] = 1, [TABLE_DISCRETE] = 2, [TABLE_HOLDING] = 3, [TABLE_INPUT] = 4};
    struct question question = {span, functions[span->table], cells};
    int address = (int)span->address;
    int count = (int)span->count;
    int rc = clear_the_way(bus, unit);

    if (rc != 0)
        return rc;
    if (table_is_bits(span->table))
        rc = read_bits(bus, span, cells);
    else if (span->table == TABLE_INPUT)
        rc = modbus_read_input_registers(bus->modbus, address, count, cells);
    else
        rc = modbus_read_registers(bus->modbus, address, count, cells);
    return settle(bus, &question, rc);
}

int bus_write(struct bus *bus, unsigned unit, const struct span *span, const uint16_t *cells)
{
    bool coil = span->table == TABLE_COIL;
    struct question question = {span, coil ? 5 : span->count == 1 ? 6 : 16, NULL};
    int address = (int)span->address;
    int rc = clear_the_way(bus, unit);

    if (rc != 0)
        return rc;
    if (coil)
        rc = modbus_write_bit(bus->modbus, address, cells[0] != 0);
    else if (span->count == 1)
        rc = modbus_write_register(bus->modbus, address, cells[0]);
    else
        rc = modbus_write_registers(bus->modbus, address, (int)span->count, cells);
    return settle(bus, &question, rc);
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
