#include "writer.h"

#include <stdio.h>
#include <string.h>

static const struct value unknown = {.type = VALUE_NONE};

void writer_init(struct writer *writer, const struct board_config *config,
                 struct controls *controls)
{
    memset(writer, 0, sizeof *writer);
    writer->config = config;
    writer->controls = controls;
    writer->index = WRITER_NONE;
}

void writer_feed(struct writer *writer)
{
    writer->feed_owed = true;
}

static bool next_feed(struct writer *writer, struct board_write *out)
{
    const struct feed_settings *feed = &writer->config->feed;

    if (!writer->feed_owed)
        return false;
    writer->feed_owed = false;
    writer->index = WRITER_FEED;
    *out = (struct board_write){.line = feed->line, .verify = -1, .mute = !feed->expect};
    return true;
}

bool writer_next(struct writer *writer, struct board_write *out)
{
    int index;

    while ((index = controls_next(writer->controls, &writer->wanted)) >= 0) {
        const struct output_settings *output = &writer->config->outputs[index];
        struct value said = mapping_say(&output->mapping, writer->wanted);

        /* A text with the request's end in it would be two requests. */
        if (phrase_render(&output->write, &said, writer->line) != 0 ||
            strpbrk(writer->line, writer->config->link.request_end)) {
            controls_done(writer->controls, index, COMMAND_REJECTED, "bad_value", unknown);
            continue;
        }
        writer->index = index;
        writer->held = unknown;
        writer->message[0] = '\0';
        *out = (struct board_write){.line = writer->line,
                                    .verify = output->state_poll,
                                    .reply_ms = output->reply_ms,
                                    .mute = output->confirm == OUTPUT_READING};
        return true;
    }
    return next_feed(writer, out);
}

static bool begins(const char *line, const char *with)
{
    return strncmp(line, with, strlen(with)) == 0;
}

static bool confirms(const struct writer *writer, const struct output_settings *output,
                     const char *line)
{
    switch (output->confirm) {
    case OUTPUT_PREFIX:
        return begins(line, output->expect);
    case OUTPUT_ECHO:
        return strcmp(line, writer->line) == 0;
    case OUTPUT_PATTERN:
        return pattern_match(output->pattern, line);
    case OUTPUT_READING:
        break;
    }
    return false;
}

enum board_answer writer_line(struct writer *writer, const char *line)
{
    const struct output_settings *output;

    if (writer->index == WRITER_FEED)
        return begins(line, writer->config->feed.expect) ? BOARD_CONFIRMED : BOARD_NOT_MINE;
    output = &writer->config->outputs[writer->index];
    if (output->error[0] != '\0' && begins(line, output->error)) {
        snprintf(writer->message, sizeof writer->message, "the board answered: %s", line);
        return BOARD_REFUSED;
    }
    return confirms(writer, output, line) ? BOARD_CONFIRMED : BOARD_NOT_MINE;
}

void writer_observe(struct writer *writer, size_t poll, const struct reading *reading)
{
    for (size_t i = 0; i < writer->config->n_outputs; i++) {
        const struct output_settings *output = &writer->config->outputs[i];
        const struct value *value;
        struct value held = unknown;

        if (output->state_poll != (int)poll)
            continue;
        value = reading_find(reading, writer->config->polls[poll].points[output->state_point].name);
        if (value)
            held = mapping_hear(&output->mapping, value);
        if ((int)i == writer->index)
            writer->held = held;
        else if (value)
            controls_observe(writer->controls, (int)i, held);
    }
}

/* Whether the device was seen to hold what was wanted. */
static bool holds(const struct writer *writer)
{
    const struct actuator_settings *settings = &writer->config->actuators[writer->index];
    struct value held;

    return writer->held.type != VALUE_NONE &&
           actuator_convert(settings, &writer->held, &held) == NULL &&
           value_equal(&held, writer->wanted);
}

struct verdict {
    enum command_outcome outcome;
    const char *reason;
    const char *message;
};

static struct verdict judge(const struct writer *writer, enum board_end end)
{
    bool read_back = writer->config->outputs[writer->index].state_poll >= 0;

    switch (end) {
    case BOARD_WRITTEN:
        if (!read_back || holds(writer))
            return (struct verdict){COMMAND_OK, NULL, NULL};
        return (struct verdict){COMMAND_FAILED, "verify_failed",
                                "the board's reading does not show it"};
    case BOARD_UNSURE:
        if (holds(writer))
            return (struct verdict){COMMAND_OK, NULL, "no reply, but read back"};
        return (struct verdict){COMMAND_FAILED, "timeout", NULL};
    case BOARD_UNREAD:
        return (struct verdict){COMMAND_FAILED, "timeout", "it could not be read back"};
    case BOARD_ERROR:
        return (struct verdict){COMMAND_FAILED, "verify_failed", writer->message};
    case BOARD_LOST:
        return (struct verdict){COMMAND_FAILED, "device_offline", NULL};
    case BOARD_UNANSWERED:
        break;
    }
    return (struct verdict){COMMAND_FAILED, "timeout", NULL};
}

static void end_feed(struct writer *writer, enum board_end end)
{
    writer->index = WRITER_NONE;
    controls_fed(writer->controls, end == BOARD_WRITTEN ? NULL
                                   : end == BOARD_LOST  ? "device_offline"
                                                        : "timeout");
}

void writer_end(struct writer *writer, enum board_end end)
{
    struct verdict verdict;
    int index = writer->index;

    if (index == WRITER_FEED) {
        end_feed(writer, end);
        return;
    }
    verdict = judge(writer, end);
    if (verdict.message)
        controls_explain(writer->controls, index, verdict.message);
    writer->index = WRITER_NONE;
    controls_done(writer->controls, index, verdict.outcome, verdict.reason, writer->held);
}
