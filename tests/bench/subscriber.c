/* A subscriber that looks at nothing that it gets: the least that a message costs with paho's
 * MQTTAsync; and the least that a sink costs, where it posts what was made before.
 *
 *   bench-subscriber URL FILTER NUMBER [STORE FILE POINTS]
 *
 * prints "ready", ends after NUMBER messages and prints "SECONDS CPU_SECONDS" from the first to the
 * last of them; with a STORE to the last answer, for which it posts POINTS a message (road.h). */
#include "road.h"

#include <MQTTAsync.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct subscriber {
    MQTTAsync client;
    char *filter;
    long number;
    double first_s, first_cpu_s; /* at the first message */
    double last_s, last_cpu_s;
    atomic_long received;
    struct road *road; /* NULL: goes nowhere */
    long points;       /* a message */
};

static double now_s(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void give_up(const char *what)
{
    fprintf(stderr, "bench-subscriber: %s\n", what);
    exit(1);
}

static void note_end(struct subscriber *s)
{
    s->last_s = now_s(CLOCK_MONOTONIC);
    s->last_cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID);
}

static int on_arrived(void *self, char *topic, int length, MQTTAsync_message *message)
{
    struct subscriber *s = self;
    long n = atomic_load(&s->received) + 1;

    (void)length;
    if (n == 1) {
        s->first_s = now_s(CLOCK_MONOTONIC);
        s->first_cpu_s = now_s(CLOCK_PROCESS_CPUTIME_ID);
    }
    if (n == s->number)
        note_end(s);
    if (s->road)
        road_take(s->road, s->points);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    atomic_store(&s->received, n);
    return 1;
}

static void on_subscribed(void *self, MQTTAsync_successData5 *data)
{
    (void)self;
    (void)data;
    puts("ready");
    fflush(stdout);
}

static void on_failed(void *self, MQTTAsync_failureData5 *data)
{
    (void)self;
    (void)data;
    give_up("the broker refuses");
}

static void on_connected(void *self, MQTTAsync_successData5 *data)
{
    struct subscriber *s = self;
    MQTTAsync_callOptions options = MQTTAsync_callOptions_initializer;

    (void)data;
    options.onSuccess5 = on_subscribed;
    options.onFailure5 = on_failed;
    options.context = s;
    if (MQTTAsync_subscribe(s->client, s->filter, 1, &options) != MQTTASYNC_SUCCESS)
        give_up("cannot subscribe");
}

int main(int argc, char **argv)
{
    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer5;
    struct subscriber s = {0};

    if (argc != 4 && argc != 7)
        give_up("URL FILTER NUMBER [STORE FILE POINTS] are meant");
    s.filter = argv[2];
    s.number = atol(argv[3]);
    if (argc == 7) {
        s.road = road_open(argv[4], argv[5]);
        s.points = atol(argv[6]);
    }
    create.MQTTVersion = MQTTVERSION_5;
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR);
    if (MQTTAsync_createWithOptions(&s.client, argv[1], "bench-subscriber",
                                    MQTTCLIENT_PERSISTENCE_NONE, NULL, &create) != 0 ||
        MQTTAsync_setCallbacks(s.client, &s, NULL, on_arrived, NULL) != 0)
        give_up("no client");
    connect.onSuccess5 = on_connected;
    connect.onFailure5 = on_failed;
    connect.context = &s;
    if (MQTTAsync_connect(s.client, &connect) != MQTTASYNC_SUCCESS)
        give_up("cannot connect");
    while (atomic_load(&s.received) < s.number)
        usleep(20000);
    if (s.road) {
        road_close(s.road);
        note_end(&s);
    }
    printf("%.6f %.6f\n", s.last_s - s.first_s, s.last_cpu_s - s.first_cpu_s);
    return 0;
}
