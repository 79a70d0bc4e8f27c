// As much of the Arduino library as deploy/arduino/fieldline uses, over standard input and output, so that
// the sketch itself runs on this machine. The sketch is compiled into it: -DSKETCH='"…/fieldline.ino"'.
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define F(text) text
#define constrain(x, low, high) ((x) < (low) ? (low) : (x) > (high) ? (high) : (x))

enum { LOW, HIGH };
enum { INPUT, OUTPUT };
enum { A0 = 14, A1, A2, A3 };

static void pinMode(uint8_t, uint8_t)
{
}

static void digitalWrite(uint8_t, uint8_t)
{
}

static int analogRead(uint8_t pin)
{
    return pin == A0 ? 150 : 500;
}

static unsigned long millis()
{
    timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long)now.tv_sec * 1000 + (unsigned long)now.tv_nsec / 1000000;
}

struct {
    void begin(unsigned long)
    {
    }
    int available()
    {
        pollfd input = {STDIN_FILENO, POLLIN, 0};

        return poll(&input, 1, 5) > 0;
    }
    int read()
    {
        char c;

        if (::read(STDIN_FILENO, &c, 1) != 1)
            exit(0);
        return c;
    }
    void print(const char *text)
    {
        printf("%s", text);
    }
    void print(long number)
    {
        printf("%ld", number);
    }
    void print(int number)
    {
        printf("%d", number);
    }
    void print(float number, int decimals)
    {
        printf("%.*f", decimals, (double)number);
    }
    template <typename T> void println(T what)
    {
        print(what);
        printf("\r\n");
        fflush(stdout);
    }
} Serial;

// The sketch's names would clash with those of the C library's headers above: write, read.
namespace sketch
{
#include SKETCH
}

int main()
{
    sketch::setup();
    for (;;)
        sketch::loop();
}
