/* Many Modbus TCP devices in one process, for tests/bench/modbus.
 *
 *     bench-modbus-devices DEVICES PERIOD_MS
 *
 * Prints the port of each on one line, then answers reads of holding registers with 7s. At the end
 * of its input, once begun by a line there, it prints what came in between: requests, connections,
 * periods in which a device was not asked, and the median, 99th percentile and worst of how far a
 * device's requests are off their mean grid, in milliseconds. */
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME 12 /* of a read: MBAP header 7, function, address, count */
#define TIMES_MAX 4096
#define STDIN_KEY UINT32_MAX

struct device {
    int listener, peer;
    uint8_t frame[FRAME];
    size_t got;
    double *at_ms;
    size_t n;
};

struct devices {
    struct device *items;
    size_t n;
    int poll;
    double period_ms;
    bool counting;
    unsigned long connections;
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int watch(const struct devices *devices, int fd, uint64_t key)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = key};

    return epoll_ctl(devices->poll, EPOLL_CTL_ADD, fd, &event);
}

static int listen_all(struct devices *devices)
{
    for (size_t i = 0; i < devices->n; i++) {
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t size = sizeof address;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 4) != 0 ||
            getsockname(fd, (struct sockaddr *)&address, &size) != 0 || watch(devices, fd, 2 * i))
            return -errno;
        devices->items[i] = (struct device){
            .listener = fd, .peer = -1, .at_ms = malloc(TIMES_MAX * sizeof(double))};
        if (!devices->items[i].at_ms)
            return -ENOMEM;
        printf("%d ", ntohs(address.sin_port));
    }
    puts("");
    return fflush(stdout);
}

static void take_peer(struct devices *devices, size_t i)
{
    struct device *device = &devices->items[i];
    const int on = 1;

    if (device->peer >= 0)
        close(device->peer);
    device->peer = accept(device->listener, NULL, NULL);
    device->got = 0;
    devices->connections++;
    setsockopt(device->peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(devices, device->peer, 2 * i + 1);
}

static void answer(const struct device *device)
{
    uint8_t reply[9 + 250] = {0};
    unsigned count = (unsigned)(device->frame[10] << 8 | device->frame[11]);
    unsigned bytes = 2 * (count < 125 ? count : 125);

    memcpy(reply, device->frame, 8);
    reply[4] = (uint8_t)((bytes + 3) >> 8);
    reply[5] = (uint8_t)(bytes + 3);
    reply[8] = (uint8_t)bytes;
    for (unsigned i = 1; i < bytes; i += 2)
        reply[9 + i] = 7;
    if (send(device->peer, reply, 9 + bytes, MSG_NOSIGNAL) < 0)
        perror("send");
}

static void serve(struct devices *devices, size_t i)
{
    struct device *device = &devices->items[i];
    ssize_t n = read(device->peer, device->frame + device->got, FRAME - device->got);

    if (n <= 0) {
        close(device->peer);
        device->peer = -1;
        return;
    }
    device->got += (size_t)n;
    if (device->got < FRAME)
        return;
    device->got = 0;
    if (devices->counting && device->n < TIMES_MAX)
        device->at_ms[device->n++] = now_ms();
    answer(device);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* How far each request is off the grid that lies best among those of its device; adds them to
 * `errors`, returns the periods that were left out. */
static unsigned long errors_of(const struct device *device, double period_ms, double *errors)
{
    unsigned long left_out = 0;
    double mean = 0;

    for (size_t i = 0; i < device->n; i++) {
        double periods = i ? round((device->at_ms[i] - device->at_ms[i - 1]) / period_ms) : 1;

        left_out += periods > 1 ? (unsigned long)periods - 1 : 0;
        errors[i] = remainder(device->at_ms[i] - device->at_ms[0], period_ms);
        mean += errors[i] / (double)device->n;
    }
    for (size_t i = 0; i < device->n; i++)
        errors[i] = fabs(remainder(errors[i] - mean, period_ms));
    return left_out;
}

static void report(const struct devices *devices)
{
    double *errors = malloc(devices->n * TIMES_MAX * sizeof *errors);
    unsigned long left_out = 0;
    size_t n = 0;

    for (size_t i = 0; errors && i < devices->n; i++) {
        left_out += errors_of(&devices->items[i], devices->period_ms, errors + n);
        n += devices->items[i].n;
    }
    if (n > 0) {
        qsort(errors, n, sizeof *errors, compare);
        printf("%zu %lu %lu %.2f %.2f %.2f\n", n, devices->connections, left_out, errors[n / 2],
               errors[n * 99 / 100], errors[n - 1]);
    }
    free(errors);
}

/* False at the end of the input. */
static bool take_word(struct devices *devices)
{
    char word[16];

    devices->counting = true;
    return read(STDIN_FILENO, word, sizeof word) > 0;
}

static void run(struct devices *devices)
{
    struct epoll_event events[64];

    for (;;) {
        int n = epoll_wait(devices->poll, events, 64, -1);

        for (int i = 0; i < n; i++) {
            uint64_t key = events[i].data.u64;

            if (key == STDIN_KEY) {
                if (!take_word(devices))
                    return;
            } else if (key % 2 == 0) {
                take_peer(devices, key / 2);
            } else {
                serve(devices, key / 2);
            }
        }
    }
}

int main(int argc, char **argv)
{
    struct devices devices = {.poll = epoll_create1(EPOLL_CLOEXEC)};
    struct rlimit files;

    if (argc != 3)
        return 64;
    devices.n = strtoul(argv[1], NULL, 10);
    devices.period_ms = strtod(argv[2], NULL);
    devices.items = calloc(devices.n, sizeof *devices.items);
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (!devices.items || watch(&devices, STDIN_FILENO, STDIN_KEY) != 0 ||
        listen_all(&devices) != 0)
        return 69;
    run(&devices);
    report(&devices);
    return 0;
}
