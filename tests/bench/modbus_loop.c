/* What tests/bench/modbus measures modbus-agent against: a bare libmodbus loop.
 *
 *     bench-modbus-loop PORT PERIOD_US ROUNDS BLOCKS REGISTERS
 *
 * Reads so many blocks of holding registers each period, and ends by printing the requests and the
 * CPU time that each took, in microseconds. */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

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

int main(int argc, char **argv)
{
    long numbers[5];
    uint16_t registers[MODBUS_MAX_READ_REGISTERS];
    struct timespec at;
    modbus_t *modbus;
    double begun_us;

    if (argc != 6)
        return 64;
    for (int i = 0; i < 5; i++)
        numbers[i] = strtol(argv[i + 1], NULL, 10);
    modbus = modbus_new_tcp("127.0.0.1", (int)numbers[0]);
    if (!modbus || modbus_connect(modbus) != 0)
        return 69;
    modbus_set_slave(modbus, 1);
    begun_us = cpu_us();
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (long i = 0; i < numbers[2]; i++) {
        for (long j = 0; j < numbers[3]; j++)
            if (modbus_read_registers(modbus, (int)(j * numbers[4]), (int)numbers[4], registers) <
                0)
                return 69;
        advance(&at, numbers[1]);
        while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR) {
        }
    }
    printf("%ld %.2f\n", numbers[2] * numbers[3],
           (cpu_us() - begun_us) / (double)(numbers[2] * numbers[3]));
    modbus_close(modbus);
    modbus_free(modbus);
    return 0;
}
