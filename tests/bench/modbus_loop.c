/* What tests/bench/modbus measures modbus-agent against: a bare libmodbus loop, and one that tells
 * a broker by bare paho what it has read.
 *
 *     bench-modbus-loop PORT PERIOD_US ROUNDS BLOCKS REGISTERS [mqtt://HOST:PORT]
 *
 * Reads so many blocks of holding registers each period, and ends by printing the requests and the
 * CPU time that each took, in microseconds. With a broker each round's registers go there as one
 * retained message of QoS 1, as JSON written by snprintf(). */
#include <errno.h>
#include <modbus.h>
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define PATIENCE_MS 5000

struct loop {
    modbus_t *modbus;
    MQTTClient mqtt; /* NULL: nobody is told */
    long blocks, size;
    uint16_t *registers;
    char *text;
};

static double cpu_us(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void advance(struct timespec *at, long us)
{
    at->tv_nsec += us * 1000;
    at->tv_sec += at->tv_nsec / 1000000000;
    at->tv_nsec %= 1000000000;
}

/* With a receiving thread, as a program has that takes commands too. */
static void on_lost(void *self, char *cause)
{
    (void)self;
    (void)cause;
}

static int on_message(void *self, char *topic, int length, MQTTClient_message *message)
{
    (void)self;
    (void)length;
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    return 1;
}

static int connect_mqtt(struct loop *loop, const char *url)
{
    MQTTClient_connectOptions options = MQTTClient_connectOptions_initializer;
    char place[128];

    snprintf(place, sizeof place, "tcp://%s", url + strlen("mqtt://"));
    if (MQTTClient_create(&loop->mqtt, place, "bench-modbus-loop", MQTTCLIENT_PERSISTENCE_NONE,
                          NULL) != 0)
        return -1;
    MQTTClient_setCallbacks(loop->mqtt, NULL, on_lost, on_message, NULL);
    options.reliable = 0;
    return MQTTClient_connect(loop->mqtt, &options);
}

static int publish(struct loop *loop)
{
    char *end = loop->text;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    end += sprintf(end, "{\"ts\":%lld,\"values\":{",
                   (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    for (long i = 0; i < loop->blocks * loop->size; i++)
        end += sprintf(end, "%s\"p%ld\":%u", i ? "," : "", i, loop->registers[i]);
    end += sprintf(end, "}}");
    return MQTTClient_publish(loop->mqtt, "bench/modbus", (int)(end - loop->text), loop->text, 1, 1,
                              NULL);
}

static int run_round(struct loop *loop)
{
    for (long i = 0; i < loop->blocks; i++)
        if (modbus_read_registers(loop->modbus, (int)(i * loop->size), (int)loop->size,
                                  loop->registers + i * loop->size) < 0)
            return -1;
    return loop->mqtt ? publish(loop) : 0;
}

int main(int argc, char **argv)
{
    long numbers[5];
    struct loop loop = {0};
    struct timespec at;
    double begun_us;

    if (argc != 6 && argc != 7)
        return 64;
    for (int i = 0; i < 5; i++)
        numbers[i] = strtol(argv[i + 1], NULL, 10);
    loop.blocks = numbers[3];
    loop.size = numbers[4];
    loop.registers = calloc((size_t)(loop.blocks * loop.size), sizeof *loop.registers);
    loop.text = malloc((size_t)(loop.blocks * loop.size) * 24 + 64);
    loop.modbus = modbus_new_tcp("127.0.0.1", (int)numbers[0]);
    if (!loop.registers || !loop.text || !loop.modbus || modbus_connect(loop.modbus) != 0 ||
        (argc == 7 && connect_mqtt(&loop, argv[6]) != 0))
        return 69;
    modbus_set_slave(loop.modbus, 1);
    begun_us = cpu_us();
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (long i = 0; i < numbers[2]; i++) {
        if (run_round(&loop) != 0)
            return 69;
        advance(&at, numbers[1]);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
        }
    }
    printf("%ld %.2f\n", numbers[2] * loop.blocks,
           (cpu_us() - begun_us) / (double)(numbers[2] * loop.blocks));
    if (loop.mqtt) {
        MQTTClient_disconnect(loop.mqtt, PATIENCE_MS);
        MQTTClient_destroy(&loop.mqtt);
    }
    modbus_close(loop.modbus);
    modbus_free(loop.modbus);
    free(loop.registers);
    free(loop.text);
    return 0;
}
