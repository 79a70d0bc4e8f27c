/* One line an event on standard error, `key=value`: when a state changes, not on every failure.
 *
 *     log_warning("link_lost", "url=%s reason=\"%s\"", url, reason);
 *     2026-11-22T15:04:05.123Z warning serial-agent link_lost url=… reason="…"
 *
 * What a peer can trigger goes through a log_limit. Safe from any thread. */
#ifndef LOG_H
#define LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };

void log_open(const char *program, enum log_level least); /* `program` kept not copied */

void log_write(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_write(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)

/* At most one line each `every_ms`; `suppressed` counts those held back since the last one and is
 * for the line to print. Starts as `{.every_ms = …}`. Not shared between threads. */
struct log_limit {
    int64_t every_ms;
    int64_t last_ms;
    uint64_t suppressed;
};
bool log_allowed(struct log_limit *limit, int64_t now_ms);

#endif
