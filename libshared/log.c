#include "log.h"

#include "clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 1024

static const char *log_program = "fieldline";
static _Atomic int log_least = LOG_LEVEL_INFO;

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void log_open(const char *program, enum log_level least)
{
    log_program = program;
    atomic_store(&log_least, (int)least);
}

static size_t write_stamp(char *out, size_t size)
{
    int64_t time_ms = clock_time_ms();
    time_t seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t length = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc);
    return length + (size_t)snprintf(out + length, size - length, ".%03dZ", (int)(time_ms % 1000));
}

/* What a peer sent may hold line breaks or escape sequences: one event stays one harmless line. */
static void make_printable(char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = '?';
}

/* The line goes out in one write(), so that lines of several threads do not mix. */
void log_write(enum log_level level, const char *event, const char *format, ...)
{
    if ((int)level < atomic_load_explicit(&log_least, memory_order_relaxed))
        return;
    char line[LINE_SIZE];
    size_t length = write_stamp(line, sizeof line);
    length += (size_t)snprintf(line + length, sizeof line - length, " %s %s %s ",
                               level_names[level], log_program, event);
    if (length < sizeof line - 1) {
        va_list arguments;
        va_start(arguments, format);
        int wanted = vsnprintf(line + length, sizeof line - length, format, arguments);
        va_end(arguments);
        length += wanted > 0 ? (size_t)wanted : 0;
    }
    if (length > sizeof line - 2) {
        length = sizeof line - 2;
        memcpy(line + length - 3, "...", 3);
    }
    make_printable(line, length);
    line[length++] = '\n';
    if (write(STDERR_FILENO, line, length) < 0)
        return; /* nowhere left to say it */
}

bool log_allowed(struct log_limit *limit, int64_t now_ms)
{
    if (limit->last_ms != 0 && now_ms - limit->last_ms < limit->every_ms) {
        limit->suppressed++;
        return false;
    }
    limit->last_ms = now_ms;
    return true;
}
