/* What serial-agent's configuration says. Nothing is borrowed from the configuration.
 *
 * A device, beside "location" and "device"; what is left out is as shown, durations are texts:
 *   "port"            "/dev/…", "usb:VID:PID[:SERIAL]", "tcp://host:port" or
 *                     "rfc2217://host:port"; no fall-back
 *   "baud": 9600, "frame": "8N1", "dtr": true, "rts": true, "reset_on_open": false
 *   "line_end": "\r\n"      each of its characters ends a line that comes
 *   "request_end": "\n"     put behind each that goes
 *   "max_line": 512, "checksum": {"kind": "none", "requests": false}          checksum.h
 *   "boot_wait": "2500ms", "reply_timeout": "1s", "offline_after": 3
 *   "breaker": {"threshold": 5, "open": "1m"}, "reset_on_hang": false, "backoff": {"first", "max"}
 *   "polls":   [{"request", "period": "1s", LINE}]      asked for, and answered by one line
 *   "streams": [{"silence": "5s", "interval": "2ms", "gather": "20ms", LINE}]     said by the board
 *                                 itself; at most one reading an interval is published, the newest;
 *                                 those within `gather` of the last message go out as one array
 *   LINE is "measurement", "format": "pairs" | "json" | "csv" | "pattern", "prefix": "",
 *     "separator": "," (pairs, csv), "assign": ":" (pairs), "pattern" (pattern),
 *     "points": [{…point.h, "field": its name, or "column" (csv)}],
 *     "sequence": {"field" or "column", "modulo": 4294967296}
 *   "actuators": [{…actuator_settings.h, "write", "values": {name: what the board calls it},
 *     "confirm": "prefix" | "echo" | "pattern" | "reading", "expect": "OK", "error": "ERR",
 *     "reply_timeout": the device's, "state": the point that reads it back}]
 *   "watchdog": {"line", "expect", "period": "1s", …}                          feed.h, watchdog.h
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "actuator_settings.h"
#include "backlog.h"
#include "board.h"
#include "config.h"
#include "decode.h"
#include "feed.h"
#include "link.h"
#include "mapping.h"
#include "pattern.h"
#include "phrase.h"
#include "point.h"
#include "texts.h"
#include "topic.h"

#include <stddef.h>

/* What the replies to a request, or the lines of a stream, are read as: one measurement. */
struct poll_settings {
    char measurement[TOPIC_NAME_SIZE];
    size_t n_points;
    struct point points[DECODE_FIELDS_MAX - 1];
    struct decoder decoder; /* a field for each point, then the line's number where it has one */
    uint64_t modulo;        /* of the lines' numbers; 0: they have none */
    int64_t interval_ms;    /* pace of what is published of it, as pace.h has it */
    int64_t burst;
    int64_t gather_ms; /* how often a message goes out at most; 0: as often as there is one */
};

/* How an actuator's write is confirmed: by a reply that begins so, is the request again, or
 * matches; or by what is read afterwards alone. */
enum output_confirm { OUTPUT_PREFIX, OUTPUT_ECHO, OUTPUT_PATTERN, OUTPUT_READING };

/* How an actuator is written and confirmed; beside its struct actuator_settings. */
struct output_settings {
    struct phrase write;
    struct mapping mapping; /* names of values */
    enum output_confirm confirm;
    const char *expect;      /* how a reply that confirms begins */
    struct pattern *pattern; /* what such a reply matches; owned; NULL but for OUTPUT_PATTERN */
    const char *error;       /* how a reply that refuses begins */
    int64_t reply_ms;
    int state_poll; /* the poll and the point that read it back; -1: none */
    int state_point;
};

struct board_config {
    uint64_t digest; /* of what the configuration says of it */
    struct texts texts;
    char location[TOPIC_NAME_SIZE];
    char device[TOPIC_NAME_SIZE];
    struct link_settings link;
    struct board_settings board;
    unsigned offline_after; /* polls without an answer, or silences of a stream, in a row */
    struct board_poll requests[BOARD_POLLS_MAX];
    struct poll_settings *polls;         /* array of board.n_polls, streams last; owned */
    struct actuator_settings *actuators; /* array of n_outputs; owned */
    struct output_settings *outputs;     /* likewise */
    size_t n_outputs;
    struct feed_settings feed; /* of the board's watchdog; its period is 0 where there is none */
};

struct settings {
    struct backlog_settings backlog;
    size_t n_boards;
    struct board_config *boards[]; /* owned, each of them */
};

/* The parts of a device's entry, each from a file of its own. Return 0 or -ENOMEM; what was owned
 * is freed by settings_discard() in any case. */
int settings_configure_polls(struct board_config *out, struct config_node *node);
int settings_configure_outputs(struct board_config *out, struct config_node *node);

/* `length`, or a problem and `max` where that is too much. */
size_t settings_bounded(struct config_node *node, size_t length, size_t max);

/* Gives away the settings; as service_program.configure and .discard want it. */
int settings_configure(void **out, struct config_node *root);
void settings_discard(void *settings);

#endif
