#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000
#define POINTS_MAX (DECODE_FIELDS_MAX - 1)
#define BURST_MS 1000 /* a second's readings may come at once */
#define GATHER_MAX_MS 60000

static const char *const format_names[] = {"pairs", "json", "csv", "pattern", NULL};

static const char *separator(struct config_node *node, const char *key, const char *fallback)
{
    const char *text = config_string(node, key, fallback);

    if (text[0] == '\0')
        config_problem(node, key, "is empty: nothing would be separated");
    return text[0] == '\0' ? fallback : text;
}

static int configure_pattern(struct decoder *out, struct config_node *node)
{
    const char *text = config_require_string(node, "pattern");
    char error[160];
    int problem = pattern_open(&out->pattern, text, error, sizeof error);

    if (problem == -EINVAL)
        config_problem(node, "pattern", "%s", error);
    return problem == -EINVAL ? 0 : problem;
}

/* How a line is taken apart. Returns 0 or -ENOMEM. */
static int configure_decoder(struct decoder *out, struct config_node *node)
{
    out->format = (enum decode_format)config_choice(node, "format", format_names, DECODE_PAIRS);
    out->prefix = config_string(node, "prefix", "");
    out->separator = ",";
    out->assign = ":";
    if (out->format == DECODE_PAIRS || out->format == DECODE_CSV)
        out->separator = separator(node, "separator", ",");
    if (out->format == DECODE_PAIRS)
        out->assign = separator(node, "assign", ":");
    return out->format == DECODE_PATTERN ? configure_pattern(out, node) : 0;
}

static void find_group(struct decoder *out, size_t i, struct config_node *node)
{
    int group = out->pattern ? pattern_group(out->pattern, out->fields[i]) : 0;

    if (group < 0)
        config_problem(node, "field", "\"%s\" is the name of no capture of the pattern",
                       out->fields[i]);
    out->positions[i] = group > 0 ? (unsigned)group : 0;
}

/* Where in a line a point, or the line's number, is: one more of the decoder's fields. */
static void configure_field(struct decoder *out, struct config_node *node, const char *name)
{
    size_t i = out->n_fields++;

    out->fields[i] = name;
    if (out->format == DECODE_CSV)
        out->positions[i] = (unsigned)config_require_integer(node, "column", 1, 1024);
    else
        out->fields[i] = config_string(node, "field", name);
    if (out->format == DECODE_PATTERN)
        find_group(out, i, node);
}

static void configure_point(struct poll_settings *out, size_t i, struct config_node *node)
{
    point_configure(&out->points[i], node);
    configure_field(&out->decoder, node, out->points[i].name);
    for (size_t j = 0; j < i; j++)
        if (strcmp(out->points[i].name, out->points[j].name) == 0)
            config_problem(node, "name", "\"%s\" is there twice", out->points[i].name);
}

static void configure_sequence(struct poll_settings *out, struct config_node *node)
{
    struct config_node *sequence = config_object(node, "sequence");

    if (!config_has(node, "sequence"))
        return;
    out->modulo =
        (uint64_t)config_integer(sequence, "modulo", INT64_C(1) << 32, 2, INT64_C(1) << 53);
    configure_field(&out->decoder, sequence, "seq");
}

static int configure_reading(struct poll_settings *out, struct config_node *node)
{
    struct config_node *points = config_array(node, "points");
    size_t n = settings_bounded(points, config_length(points), POINTS_MAX);
    int error = configure_decoder(&out->decoder, node);

    snprintf(out->measurement, sizeof out->measurement, "%s",
             config_require_name(node, "measurement"));
    if (n == 0)
        config_problem(node, "points", "names no point: nothing would be read");
    for (out->n_points = 0; out->n_points < n; out->n_points++)
        configure_point(out, out->n_points, config_item(points, out->n_points));
    configure_sequence(out, node);
    out->burst = 1;
    return error;
}

static int configure_poll(struct poll_settings *out, struct board_poll *poll,
                          struct config_node *node)
{
    poll->request = config_require_string(node, "request");
    if (strpbrk(poll->request, "\r\n"))
        config_problem(node, "request", "is one line; its end (\"request_end\") is added");
    poll->period_ms = config_duration(node, "period", 1000, 10, DAY_MS);
    return configure_reading(out, node);
}

/* The pace bounds what a flood over a fast wire can do; no line of 115200 baud is as frequent. */
static int configure_stream(struct poll_settings *out, struct board_poll *poll,
                            struct config_node *node)
{
    int error = configure_reading(out, node);

    poll->request = NULL;
    poll->period_ms = config_duration(node, "silence", 5000, 10, DAY_MS);
    out->interval_ms = config_duration(node, "interval", 2, 1, DAY_MS);
    out->burst = out->interval_ms < BURST_MS ? BURST_MS / out->interval_ms : 1;
    out->gather_ms = config_duration(node, "gather", 20, 0, GATHER_MAX_MS);
    return error;
}

int settings_configure_polls(struct board_config *out, struct config_node *node)
{
    struct config_node *polls = config_array(node, "polls");
    struct config_node *streams = config_array(node, "streams");
    size_t n = settings_bounded(polls, config_length(polls), BOARD_POLLS_MAX);
    size_t n_streams = settings_bounded(streams, config_length(streams), BOARD_POLLS_MAX - n);
    int error = 0;

    if (n + n_streams == 0)
        config_problem(node, "polls",
                       "names no request, and \"streams\" nothing that comes by itself: nothing "
                       "would tell whether the board is there");
    out->polls = calloc(n + n_streams + 1, sizeof *out->polls);
    if (!out->polls)
        return -ENOMEM;
    out->board.polls = out->requests;
    out->board.n_polls = n + n_streams;
    for (size_t i = 0; i < n && error == 0; i++)
        error = configure_poll(&out->polls[i], &out->requests[i], config_item(polls, i));
    for (size_t i = n; i < n + n_streams && error == 0; i++)
        error = configure_stream(&out->polls[i], &out->requests[i], config_item(streams, i - n));
    return error;
}
