#include "settings.h"

#include "framing.h"
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOARDS_MAX 256
#define OUTPUTS_MAX 256
#define DAY_MS 86400000
#define LINE_DEFAULT 512

static const char *const format_names[] = {"pairs", "json", NULL};
static decode_fn *const formats[] = {decode_pairs, decode_json};

/* `length`, or a problem and `max` where that is too much. */
static size_t bounded(struct config_node *node, size_t length, size_t max)
{
    if (length <= max)
        return length;
    config_problem(node, NULL, "has %zu elements; at most %zu are possible", length, max);
    return max;
}

static void configure_link(struct link_settings *out, struct config_node *node)
{
    struct config_node *backoff = config_object(node, "backoff");

    out->url = config_require_string(node, "port");
    if (out->url[0] != '\0' && port_check(out->url) != 0)
        config_problem(node, "port",
                       "\"%s\": a path such as \"/dev/serial/by-id/…\" or "
                       "\"tcp://host:port\" is meant",
                       out->url);
    out->baud = (int)config_integer(node, "baud", PORT_BAUD_DEFAULT, 50, 20000000);
    out->max_line = (size_t)config_integer(node, "max_line", LINE_DEFAULT, 1, FRAMING_LINE_MAX);
    out->backoff_first_ms = config_duration(backoff, "first", 500, 1, DAY_MS);
    out->backoff_max_ms = config_duration(backoff, "max", 15000, 1, DAY_MS);
    if (out->backoff_first_ms > out->backoff_max_ms)
        config_problem(backoff, "first", "is longer than \"max\"");
}

static void configure_conversation(struct board_config *out, struct config_node *node)
{
    struct config_node *breaker = config_object(node, "breaker");

    out->board.boot_ms = config_duration(node, "boot_wait", 2500, 0, DAY_MS);
    out->board.reply_ms = config_duration(node, "reply_timeout", 1000, 1, DAY_MS);
    out->offline_after = (unsigned)config_integer(node, "offline_after", 3, 1, 1000);
    out->board.threshold = (unsigned)config_integer(breaker, "threshold", 5, 1, 1000);
    out->board.open_ms = config_duration(breaker, "open", 60000, 1, DAY_MS);
}

static void check_unique(const struct poll_settings *poll, struct config_node *points)
{
    for (size_t i = 0; i < poll->n_points; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(poll->points[i].name, poll->points[j].name) == 0)
                config_problem(config_item(points, i), "name", "\"%s\" is there twice",
                               poll->points[i].name);
}

static void configure_poll(struct poll_settings *out, struct board_poll *request,
                           struct config_node *node)
{
    struct config_node *points = config_array(node, "points");

    request->request = config_require_string(node, "request");
    if (strpbrk(request->request, "\r\n"))
        config_problem(node, "request", "is one line; its end is added");
    request->period_ms = config_duration(node, "period", 1000, 10, DAY_MS);
    snprintf(out->measurement, sizeof out->measurement, "%s",
             config_require_name(node, "measurement"));
    out->decode = formats[config_choice(node, "format", format_names, 0)];
    out->n_points = bounded(points, config_length(points), DECODE_FIELDS_MAX);
    if (out->n_points == 0)
        config_problem(node, "points", "names no point: nothing would be read");
    for (size_t i = 0; i < out->n_points; i++) {
        struct config_node *point = config_item(points, i);

        point_configure(&out->points[i], point);
        out->fields[i] = config_string(point, "field", out->points[i].name);
    }
    check_unique(out, points);
}

static int configure_polls(struct board_config *out, struct config_node *node)
{
    struct config_node *polls = config_array(node, "polls");
    size_t n = bounded(polls, config_length(polls), BOARD_POLLS_MAX);

    if (n == 0)
        config_problem(node, "polls",
                       "names no request: nothing would tell whether the board is there");
    out->polls = calloc(n > 0 ? n : 1, sizeof *out->polls);
    if (!out->polls)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        configure_poll(&out->polls[i], &out->requests[i], config_item(polls, i));
    out->board.polls = out->requests;
    out->board.n_polls = n;
    return 0;
}

static void find_state(struct output_settings *output, const struct board_config *board,
                       struct config_node *node)
{
    const char *state = config_string(node, "state", NULL);

    output->state_poll = -1;
    output->state_point = -1;
    if (!state)
        return;
    for (size_t i = 0; i < board->board.n_polls; i++)
        for (size_t j = 0; j < board->polls[i].n_points; j++)
            if (strcmp(board->polls[i].points[j].name, state) == 0) {
                output->state_poll = (int)i;
                output->state_point = (int)j;
                return;
            }
    config_problem(node, "state", "\"%s\" is the name of no point of this board", state);
}

static void configure_output(struct board_config *board, size_t i, struct config_node *node)
{
    struct output_settings *output = &board->outputs[i];

    actuator_configure(&board->actuators[i], node);
    phrase_configure(&output->write, node, "write", board->actuators[i].type);
    output->expect = config_string(node, "expect", "OK");
    output->error = config_string(node, "error", "ERR");
    find_state(output, board, node);
    for (size_t j = 0; j < i; j++)
        if (strcmp(board->actuators[i].name, board->actuators[j].name) == 0)
            config_problem(node, "name", "\"%s\" is there twice", board->actuators[i].name);
}

static int configure_outputs(struct board_config *out, struct config_node *node)
{
    struct config_node *actuators = config_array(node, "actuators");
    size_t n = bounded(actuators, config_length(actuators), OUTPUTS_MAX);

    out->actuators = calloc(n > 0 ? n : 1, sizeof *out->actuators);
    out->outputs = calloc(n > 0 ? n : 1, sizeof *out->outputs);
    if (!out->actuators || !out->outputs)
        return -ENOMEM;
    out->n_outputs = n;
    for (size_t i = 0; i < n; i++)
        configure_output(out, i, config_item(actuators, i));
    return 0;
}

static int configure_board(struct board_config *out, struct config_node *node)
{
    int error;

    snprintf(out->location, sizeof out->location, "%s", config_require_name(node, "location"));
    snprintf(out->device, sizeof out->device, "%s", config_require_name(node, "device"));
    configure_link(&out->link, node);
    configure_conversation(out, node);
    error = configure_polls(out, node);
    return error ? error : configure_outputs(out, node);
}

static void check_neighbours(const struct settings *settings, size_t i, struct config_node *node)
{
    const struct board_config *board = &settings->boards[i];

    for (size_t j = 0; j < i; j++) {
        const struct board_config *other = &settings->boards[j];

        if (strcmp(board->device, other->device) == 0 &&
            strcmp(board->location, other->location) == 0)
            config_problem(node, "device", "\"%s\" is there twice in %s", board->device,
                           board->location);
        if (board->link.url[0] != '\0' && strcmp(board->link.url, other->link.url) == 0)
            config_problem(node, "port", "%s is the port of \"%s\" already", board->link.url,
                           other->device);
    }
}

int settings_configure(void **out, struct config_node *root)
{
    struct config_node *devices = config_array(root, "devices");
    size_t n = bounded(devices, config_length(devices), BOARDS_MAX);
    struct settings *settings = calloc(1, sizeof *settings + n * sizeof settings->boards[0]);
    int error = settings ? 0 : -ENOMEM;

    if (settings)
        backlog_configure(&settings->backlog, root);
    if (n == 0)
        config_problem(root, "devices", "names no device: there is nothing to do");
    while (error == 0 && settings->n_boards < n) {
        size_t i = settings->n_boards++;

        error = configure_board(&settings->boards[i], config_item(devices, i));
        check_neighbours(settings, i, config_item(devices, i));
    }
    if (error) {
        settings_discard(settings);
        return error;
    }
    *out = settings;
    return 0;
}

void settings_discard(void *self)
{
    struct settings *settings = self;

    if (!settings)
        return;
    for (size_t i = 0; i < settings->n_boards; i++) {
        free(settings->boards[i].polls);
        free(settings->boards[i].actuators);
        free(settings->boards[i].outputs);
    }
    free(settings);
}
