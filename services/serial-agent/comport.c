#include "comport.h"

#include <errno.h>
#include <libtelnet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define COM_PORT_OPTION 44

/* Commands to the server; its answers are the same plus 100. RFC 2217, section "Com Port
 * Configuration Commands". */
enum {
    SET_BAUDRATE = 1,
    SET_DATASIZE = 2,
    SET_PARITY = 3,
    SET_STOPSIZE = 4,
    SET_CONTROL = 5,
    PURGE_DATA = 12,
    ANSWER = 100
};

/* Values of SET_CONTROL and PURGE_DATA. */
enum {
    NO_FLOW_CONTROL = 1,
    DTR_ON = 8,
    DTR_OFF = 9,
    RTS_ON = 11,
    RTS_OFF = 12,
    PURGE_RECEIVED = 1
};

#define BAUDRATE_SIZE 4 /* bytes, the high one first */

struct comport {
    telnet_t *telnet;
    int fd; /* borrowed */
    struct port_settings settings;
    bool set;   /* the server has said to which baud rate */
    int error;  /* that ended it; 0: none */
    char *room; /* where what is read goes; NULL: it is dropped */
    size_t n_read;
};

static void command(struct comport *comport, int name, int value)
{
    const char bytes[] = {(char)name, (char)value};

    telnet_subnegotiation(comport->telnet, COM_PORT_OPTION, bytes, sizeof bytes);
}

static void set_baud(struct comport *comport)
{
    unsigned baud = (unsigned)comport->settings.baud;
    const char bytes[] = {SET_BAUDRATE, (char)(baud >> 24), (char)(baud >> 16), (char)(baud >> 8),
                          (char)baud};

    telnet_subnegotiation(comport->telnet, COM_PORT_OPTION, bytes, sizeof bytes);
}

/* The baud rate goes last: its answer then says that all has been heard. */
static void set_port(struct comport *comport)
{
    static const int parities[] = {
        [PORT_PARITY_NONE] = 1, [PORT_PARITY_ODD] = 2, [PORT_PARITY_EVEN] = 3};
    const struct port_settings *settings = &comport->settings;

    command(comport, SET_DATASIZE, settings->data_bits);
    command(comport, SET_PARITY, parities[settings->parity]);
    command(comport, SET_STOPSIZE, settings->stop_bits);
    command(comport, SET_CONTROL, NO_FLOW_CONTROL);
    comport_set_lines(comport, settings->dtr, settings->rts);
    set_baud(comport);
}

static void on_answer(struct comport *comport, const char *bytes, size_t size)
{
    unsigned baud = 0;

    if (size != 1 + BAUDRATE_SIZE || bytes[0] != ANSWER + SET_BAUDRATE)
        return;
    for (size_t i = 1; i < size; i++)
        baud = baud << 8 | (unsigned char)bytes[i];
    comport->set = true;
    if (baud != (unsigned)comport->settings.baud)
        comport->error = -EINVAL;
}

static void on_send(struct comport *comport, const char *bytes, size_t size)
{
    ssize_t n = comport->error ? 0 : send(comport->fd, bytes, size, MSG_NOSIGNAL);

    if (comport->error == 0 && n != (ssize_t)size)
        comport->error = n < 0 && errno != EAGAIN ? -errno : -ETIMEDOUT;
}

static void on_data(struct comport *comport, const char *bytes, size_t size)
{
    if (!comport->room)
        return;
    memcpy(comport->room + comport->n_read, bytes, size);
    comport->n_read += size;
}

static void on_event(telnet_t *telnet, telnet_event_t *event, void *self)
{
    struct comport *comport = self;

    (void)telnet;
    if (event->type == TELNET_EV_SEND)
        on_send(comport, event->data.buffer, event->data.size);
    else if (event->type == TELNET_EV_DATA)
        on_data(comport, event->data.buffer, event->data.size);
    else if (event->type == TELNET_EV_DO && event->neg.telopt == COM_PORT_OPTION)
        set_port(comport);
    else if (event->type == TELNET_EV_SUBNEGOTIATION && event->sub.telopt == COM_PORT_OPTION)
        on_answer(comport, event->sub.buffer, event->sub.size);
    else if (event->type == TELNET_EV_ERROR)
        comport->error = -EPROTO;
}

int comport_open(struct comport **out, int fd, const struct port_settings *settings)
{
    static const telnet_telopt_t options[] = {{COM_PORT_OPTION, TELNET_WILL, TELNET_DO},
                                              {TELNET_TELOPT_BINARY, TELNET_WILL, TELNET_DO},
                                              {TELNET_TELOPT_SGA, TELNET_WILL, TELNET_DO},
                                              {-1, 0, 0}};
    struct comport *comport = calloc(1, sizeof *comport);

    if (!comport)
        return -ENOMEM;
    comport->fd = fd;
    comport->settings = *settings;
    comport->telnet = telnet_init(options, on_event, 0, comport);
    if (!comport->telnet) {
        free(comport);
        return -ENOMEM;
    }
    telnet_negotiate(comport->telnet, TELNET_WILL, COM_PORT_OPTION);
    for (const telnet_telopt_t *option = options + 1; option->telopt >= 0; option++) {
        telnet_negotiate(comport->telnet, TELNET_WILL, (unsigned char)option->telopt);
        telnet_negotiate(comport->telnet, TELNET_DO, (unsigned char)option->telopt);
    }
    *out = comport;
    return 0;
}

void comport_close(struct comport *comport)
{
    if (!comport)
        return;
    telnet_free(comport->telnet);
    free(comport);
}

ssize_t comport_read(struct comport *comport, void *out, size_t size)
{
    char bytes[4096];
    ssize_t n = recv(comport->fd, bytes, size < sizeof bytes ? size : sizeof bytes, 0);

    if (n == 0)
        return -EPIPE;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? comport->error : -errno;
    comport->room = out;
    comport->n_read = 0;
    telnet_recv(comport->telnet, bytes, (size_t)n); /* never more text than bytes */
    comport->room = NULL;
    return comport->error ? comport->error : (ssize_t)comport->n_read;
}

int comport_ready(struct comport *comport)
{
    char dropped[4096]; /* what the board says before its port is set is noise */
    ssize_t n = comport_read(comport, dropped, sizeof dropped);

    if (n < 0)
        return (int)n;
    return comport->set ? 0 : -EINPROGRESS;
}

ssize_t comport_write(struct comport *comport, const void *bytes, size_t size)
{
    telnet_send(comport->telnet, bytes, size);
    return comport->error ? comport->error : (ssize_t)size;
}

void comport_set_lines(struct comport *comport, bool dtr, bool rts)
{
    command(comport, SET_CONTROL, dtr ? DTR_ON : DTR_OFF);
    command(comport, SET_CONTROL, rts ? RTS_ON : RTS_OFF);
}

void comport_flush(struct comport *comport)
{
    command(comport, PURGE_DATA, PURGE_RECEIVED);
}
