/* Publishes readings with known numbers and says which of them the broker acknowledged.
 *
 *   chaos-publish --port 1883 [--devices 4] [--locations 2] [--rate 5000] [--seconds 60 | --count
 * N]
 *                 [--base MS] [--readings 1] [--values 1] [--window 64]
 *                 [--poison-every N] [--malformed-every N]
 *
 * Device i is iot/chaos_{i % locations}/pub_{i}; message k of it holds the readings k × R to k × R
 * + R - 1, and reading s has "ts" base + s and "seq" s. Nothing is sent twice: what was in flight
 * when the connection went is in doubt, may be stored or not, and is listed. At the end, or on
 * SIGTERM, prints LOCATION DEVICE sent N               messages 0 to N - 1 were sent LOCATION
 * DEVICE doubt K              this one was not acknowledged LOCATION DEVICE refused K REASON nor
 * was this one LOCATION DEVICE unheard N            of the acknowledged, so many came back with
 * "nobody subscribes" */
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define DEVICES_MAX 64
#define WINDOW_MAX 1000
#define OUT_SIZE (1024 * 1024)
#define TICK_MS 2
#define RECONNECT_MS 50
#define FAREWELL_MS 10000 /* for the last acknowledgements */
#define UNHEARD 0x10      /* MQTT 5.0, section 3.4.2.1: no matching subscribers */

struct options {
    int port, devices, locations, readings, values, window;
    double rate; /* messages a second, all devices together; 0: as fast as they are acknowledged */
    double seconds;
    uint64_t count; /* messages of a device; 0: no limit */
    int64_t base_ms;
    uint64_t poison_every, malformed_every;
};

struct doubt {
    uint64_t number;
    int reason; /* -1: no answer */
};

struct publisher {
    const struct options *options;
    char topic[80], client[40];
    int location, device;
    int fd; /* -1: not connected */
    bool ready;
    double retry_s, credit;
    uint64_t next;
    uint64_t in_flight[WINDOW_MAX]; /* by message id - 1: its number + 1; 0: free */
    int n_in_flight, last_slot;
    struct doubt *doubts;
    size_t n_doubts, doubts_capacity;
    uint64_t acknowledged, unheard;
    char *out;
    size_t out_size;
    unsigned char in[4096];
    size_t in_size;
};

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
    (void)number;
    told_to_end = 1;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static char *put_text(char *out, const char *text)
{
    size_t length = strlen(text);

    memcpy(out, text, length);
    return out + length;
}

static char *put_number(char *out, uint64_t value)
{
    char digits[20];
    int n = 0;

    do
        digits[n++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (n > 0)
        *out++ = digits[--n];
    return out;
}

static char *put_reading(char *out, const struct options *o, uint64_t seq, bool poison)
{
    out = put_number(put_text(out, "{\"ts\":"), (uint64_t)o->base_ms + seq);
    out = put_number(put_text(out, ",\"seq\":"), seq);
    out = put_text(out, ",\"values\":{");
    for (int i = 0; i < o->values; i++) {
        uint64_t tenths = 200 + (seq * 7 + (uint64_t)i * 31) % 700;

        out = put_number(put_text(out, i == 0 ? "\"v" : ",\"v"), (uint64_t)i);
        out = put_text(out, "\":");
        if (poison) {
            out = put_text(out, "\"a text where numbers are\"");
        } else {
            out = put_number(out, tenths / 10);
            out = put_number(put_text(out, "."), tenths % 10);
        }
    }
    return put_text(out, "}}");
}

static bool each(uint64_t number, uint64_t period, uint64_t phase)
{
    return period > 0 && number % period == phase % period;
}

static size_t make_payload(char *out, const struct options *o, uint64_t number)
{
    bool poison = each(number, o->poison_every, 7);
    char *end = out;

    if (o->readings > 1)
        *end++ = '[';
    for (int i = 0; i < o->readings; i++) {
        if (i > 0)
            *end++ = ',';
        end = put_reading(end, o, number * (uint64_t)o->readings + (uint64_t)i, poison);
    }
    if (o->readings > 1)
        *end++ = ']';
    if (each(number, o->malformed_every, 3))
        end -= 2;
    return (size_t)(end - out);
}

static void doubt(struct publisher *p, uint64_t number, int reason)
{
    if (p->n_doubts == p->doubts_capacity) {
        p->doubts_capacity = p->doubts_capacity * 2 + 256;
        p->doubts = realloc(p->doubts, p->doubts_capacity * sizeof(*p->doubts));
        if (!p->doubts)
            abort();
    }
    p->doubts[p->n_doubts++] = (struct doubt){number, reason};
}

static void hang_up(struct publisher *p, double now)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    p->ready = false;
    p->retry_s = now + RECONNECT_MS / 1000.0;
    p->out_size = 0;
    p->in_size = 0;
    for (int i = 0; i < p->options->window; i++) {
        if (p->in_flight[i] > 0)
            doubt(p, p->in_flight[i] - 1, -1);
        p->in_flight[i] = 0;
    }
    p->n_in_flight = 0;
}

static void dial(struct publisher *p, double now)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)p->options->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
        hang_up(p, now);
        return;
    }
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    fcntl(p->fd, F_SETFL, O_NONBLOCK);
    p->out_size = wire_connect(p->out, p->client);
}

static void flush(struct publisher *p, double now)
{
    ssize_t sent;

    if (p->fd < 0 || p->out_size == 0)
        return;
    sent = send(p->fd, p->out, p->out_size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        hang_up(p, now);
    } else if (sent > 0) {
        p->out_size -= (size_t)sent;
        memmove(p->out, p->out + sent, p->out_size);
    }
}

static void take_puback(struct publisher *p, const struct wire_packet *packet)
{
    int slot = packet->id - 1;

    if (slot < 0 || slot >= p->options->window || p->in_flight[slot] == 0)
        return;
    if (packet->reason >= 128)
        doubt(p, p->in_flight[slot] - 1, packet->reason);
    else
        p->acknowledged++;
    p->unheard += packet->reason == UNHEARD;
    p->in_flight[slot] = 0;
    p->n_in_flight--;
}

static void receive(struct publisher *p, double now)
{
    ssize_t got = recv(p->fd, p->in + p->in_size, sizeof(p->in) - p->in_size, 0);
    struct wire_packet packet;
    size_t at = 0;
    int used = 0;

    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            hang_up(p, now);
        return;
    }
    p->in_size += (size_t)got;
    while ((used = wire_parse(p->in + at, p->in_size - at, &packet)) > 0) {
        at += (size_t)used;
        if (packet.kind == WIRE_CONNACK)
            p->ready = packet.reason == 0;
        else if (packet.kind == WIRE_PUBACK)
            take_puback(p, &packet);
    }
    p->in_size -= at;
    memmove(p->in, p->in + at, p->in_size);
    if (used < 0)
        hang_up(p, now);
}

static bool may_publish(const struct publisher *p)
{
    const struct options *o = p->options;
    size_t message = (size_t)o->readings * (size_t)(80 + 12 * o->values) + 200;

    return p->ready && p->n_in_flight < o->window && OUT_SIZE - p->out_size > message &&
           (o->count == 0 || p->next < o->count) && (o->rate == 0 || p->credit >= 1);
}

static void publish(struct publisher *p)
{
    char payload[256 * 1024];

    while (may_publish(p)) {
        size_t size = make_payload(payload, p->options, p->next);

        do
            p->last_slot = (p->last_slot + 1) % p->options->window;
        while (p->in_flight[p->last_slot] > 0);
        p->out_size += wire_publish(p->out + p->out_size, (uint16_t)(p->last_slot + 1), p->topic,
                                    payload, size);
        p->in_flight[p->last_slot] = ++p->next;
        p->n_in_flight++;
        p->credit -= 1;
    }
}

static void turn(struct publisher *p, double elapsed_s, double now, bool ending)
{
    double share = p->options->rate / p->options->devices;

    if (p->fd < 0 && now >= p->retry_s && !ending)
        dial(p, now);
    p->credit += elapsed_s * share;
    if (p->credit > share / 2) /* what could not be sent in time is not made up for */
        p->credit = share / 2;
    if (!ending)
        publish(p);
    flush(p, now);
}

static void wait_for_all(struct publisher *all, int n, double now)
{
    struct pollfd polled[DEVICES_MAX];

    for (int i = 0; i < n; i++)
        polled[i] = (struct pollfd){
            .fd = all[i].fd, .events = (short)(POLLIN | (all[i].out_size > 0 ? POLLOUT : 0))};
    poll(polled, (nfds_t)n, TICK_MS);
    for (int i = 0; i < n; i++)
        if (all[i].fd >= 0 && polled[i].revents & (POLLIN | POLLHUP | POLLERR))
            receive(&all[i], now);
}

static bool all_sent(const struct publisher *all, const struct options *o)
{
    for (int i = 0; i < o->devices; i++)
        if (o->count == 0 || all[i].next < o->count)
            return false;
    return true;
}

static bool all_answered(const struct publisher *all, const struct options *o)
{
    for (int i = 0; i < o->devices; i++)
        if (all[i].n_in_flight > 0)
            return false;
    return true;
}

static void run(struct publisher *all, const struct options *o)
{
    double start = now_s(), last = start, ending_s = 0;

    for (;;) {
        double now = now_s();

        if (ending_s == 0 &&
            (told_to_end || all_sent(all, o) || (o->seconds > 0 && now - start >= o->seconds)))
            ending_s = now;
        if (ending_s > 0 && (all_answered(all, o) || now - ending_s > FAREWELL_MS / 1000.0))
            return;
        for (int i = 0; i < o->devices; i++)
            turn(&all[i], now - last, now, ending_s > 0);
        wait_for_all(all, o->devices, now);
        last = now;
    }
}

static void report(struct publisher *p)
{
    char name[40];

    snprintf(name, sizeof(name), "chaos_%d pub_%d", p->location, p->device);
    hang_up(p, 0); /* what is in flight now is in doubt */
    printf("%s sent %llu\n", name, (unsigned long long)p->next);
    for (size_t i = 0; i < p->n_doubts; i++) {
        unsigned long long number = p->doubts[i].number;

        if (p->doubts[i].reason < 0)
            printf("%s doubt %llu\n", name, number);
        else
            printf("%s refused %llu %d\n", name, number, p->doubts[i].reason);
    }
    printf("%s unheard %llu\n", name, (unsigned long long)p->unheard);
}

static void set_up(struct publisher *p, const struct options *o, int device)
{
    p->options = o;
    p->device = device;
    p->location = device % o->locations;
    p->fd = -1;
    p->out = malloc(OUT_SIZE);
    if (!p->out)
        abort();
    snprintf(p->topic, sizeof(p->topic), "iot/chaos_%d/pub_%d/telemetry/sensors", p->location,
             device);
    snprintf(p->client, sizeof(p->client), "chaos-publish-%d", device);
}

/* Negative for a word that is no number of the range. */
static double number(const char *text, double min, double max)
{
    char *end;
    double value = strtod(text, &end);

    return *end || end == text || value < min || value > max ? -1 : value;
}

static bool read_option(struct options *o, int key, const char *text)
{
    double value = number(text, 0, 1e15);

    switch (key) {
    case 'p':
        o->port = (int)value;
        return value >= 1 && value <= 65535;
    case 'd':
        o->devices = (int)value;
        return value >= 1 && value <= DEVICES_MAX;
    case 'l':
        o->locations = (int)value;
        return value >= 1 && value <= DEVICES_MAX;
    case 'r':
        o->rate = value;
        return value >= 0;
    case 's':
        o->seconds = value;
        return value >= 0;
    case 'c':
        o->count = (uint64_t)value;
        return value >= 0;
    case 'b':
        o->base_ms = (int64_t)value;
        return value >= 0;
    case 'n':
        o->readings = (int)value;
        return value >= 1 && value <= 1000;
    case 'v':
        o->values = (int)value;
        return value >= 1 && value <= 10;
    case 'w':
        o->window = (int)value;
        return value >= 1 && value <= WINDOW_MAX;
    case 'x':
        o->poison_every = (uint64_t)value;
        return value >= 0;
    case 'm':
        o->malformed_every = (uint64_t)value;
        return value >= 0;
    default:
        return false;
    }
}

int main(int argc, char **argv)
{
    static const struct option words[] = {
        {"port", 1, NULL, 'p'},   {"devices", 1, NULL, 'd'},      {"locations", 1, NULL, 'l'},
        {"rate", 1, NULL, 'r'},   {"seconds", 1, NULL, 's'},      {"count", 1, NULL, 'c'},
        {"base", 1, NULL, 'b'},   {"readings", 1, NULL, 'n'},     {"values", 1, NULL, 'v'},
        {"window", 1, NULL, 'w'}, {"poison-every", 1, NULL, 'x'}, {"malformed-every", 1, NULL, 'm'},
        {NULL, 0, NULL, 0}};
    static struct publisher all[DEVICES_MAX];
    struct options o = {.devices = 4, .locations = 2, .readings = 1, .values = 1, .window = 64};
    double start = now_s();
    uint64_t acknowledged = 0;
    int key;

    while ((key = getopt_long(argc, argv, "", words, NULL)) != -1)
        if (!read_option(&o, key, optarg ? optarg : "")) {
            fprintf(stderr, "chaos-publish: an option or its value is wrong; see publish.c\n");
            return 64;
        }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    for (int i = 0; i < o.devices; i++)
        set_up(&all[i], &o, i);
    run(all, &o);
    for (int i = 0; i < o.devices; i++) {
        report(&all[i]);
        acknowledged += all[i].acknowledged;
        free(all[i].out);
        free(all[i].doubts);
    }
    fprintf(stderr, "chaos-publish: %llu acknowledged in %.2f s\n",
            (unsigned long long)acknowledged, now_s() - start);
    return 0;
}
