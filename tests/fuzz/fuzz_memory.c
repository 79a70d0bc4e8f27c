/* A line of the rules' memory: what is read writes a line that reads the same, and no part of it is
 * out of bounds. The input is the line without its checksum; another byte of it is damage. */
#include "crc32c.h"
#include "fuzz.h"
#include "memory_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(const struct memory_line *line)
{
    const struct engine_memory *memory = &line->memory;
    struct memory_line again;
    struct buffer out = {0};
    if (!topic_name_valid(memory->rule) || !topic_name_valid(memory->place.device) ||
        !topic_name_valid(memory->place.location) || memory->since_ms < 0 ||
        memory->severity > ALERT_CRITICAL)
        abort();
    if (memory->controls && (!isfinite(memory->pid.output) || !isfinite(memory->pid.integral)))
        abort();
    memory_text_state(&out, memory);
    if (out.failed || memory_text_read(&again, out.data, out.size - 1) < 0 ||
        again.memory.episode != memory->episode || again.memory.fired_ms != memory->fired_ms)
        abort();
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[MEMORY_TEXT_MAX + 16];
    struct memory_line line;
    if (size > MEMORY_TEXT_MAX)
        return 0;
    memcpy(text, data, size);
    int length = snprintf(text + size, sizeof(text) - size, " #%08" PRIx32, crc32c(0, data, size));
    size_t whole = size + (size_t)length;
    if (memory_text_read(&line, text, whole) == 0 && line.kind == MEMORY_STATE)
        check(&line);
    memory_text_read(&line, (const char *)data, size);
    if (size > 0) {
        text[size / 2] ^= 1;
        if (memory_text_read(&line, text, whole) == 0)
            abort();
    }
    return 0;
}
