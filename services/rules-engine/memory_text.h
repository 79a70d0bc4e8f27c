/* The lines of DIR/rules.memory:
 *   memory 2 #CRC                                          the first
 *   alive MS #CRC                                          the engine was there then
 *   STATE[,FLAG…] SINCE EPISODE LOCATION DEVICE RULE[ KEY=VALUE]… #CRC
 * STATE is inactive, waiting, active or clearing; flags are stale, owing, changed, hand. Keys:
 *   meaning          of the rule, a hash
 *   alert, severity  the alert fires, of this severity; or only that of a failed command
 *   failed           its episode; behind it a + where it fires
 *   fired, cleared   ms
 *   pid, rest        time,integral,derivative,measured,output; it runs, or not
 *   said             the output that was commanded
 * CRC is the CRC-32C of what stands before " #", eight hexadecimal digits. A key or flag that is
 * not known is damage. Pure. */
#ifndef MEMORY_TEXT_H
#define MEMORY_TEXT_H

#include "buffer.h"
#include "engine.h"
#include "topic.h"

enum memory_kind { MEMORY_HEAD, MEMORY_ALIVE, MEMORY_STATE };

struct memory_line {
    enum memory_kind kind;
    int64_t alive_ms;
    struct engine_memory memory; /* its strings are the next three */
    char location[TOPIC_NAME_SIZE], device[TOPIC_NAME_SIZE], rule[TOPIC_NAME_SIZE];
};

#define MEMORY_TEXT_MAX 1024 /* characters of a line */

/* Append a line, with its end. */
void memory_text_head(struct buffer *out);
void memory_text_alive(struct buffer *out, int64_t time_ms);
void memory_text_state(struct buffer *out, const struct engine_memory *memory);

/* Reads one without its end. Returns 0 or -EBADMSG; `out` is then undefined. */
int memory_text_read(struct memory_line *out, const char *line, size_t length);

#endif
