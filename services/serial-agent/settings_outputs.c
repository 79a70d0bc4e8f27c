#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000
#define OUTPUTS_MAX 256

static const char *const confirm_names[] = {"prefix", "echo", "pattern", "reading", NULL};

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

static int configure_pattern(struct output_settings *out, struct config_node *node)
{
    char error[160];
    int problem =
        pattern_open(&out->pattern, config_require_string(node, "expect"), error, sizeof error);

    if (problem == -EINVAL)
        config_problem(node, "expect", "%s", error);
    return problem == -EINVAL ? 0 : problem;
}

static int configure_confirm(struct output_settings *out, struct config_node *node)
{
    out->confirm =
        (enum output_confirm)config_choice(node, "confirm", confirm_names, OUTPUT_PREFIX);
    out->expect = "";
    if (out->confirm == OUTPUT_READING && out->state_poll < 0)
        config_problem(node, "confirm", "\"reading\" needs the \"state\" that is to confirm it");
    if (out->confirm == OUTPUT_PREFIX)
        out->expect = config_string(node, "expect", "OK");
    return out->confirm == OUTPUT_PATTERN ? configure_pattern(out, node) : 0;
}

static int configure_output(struct board_config *board, size_t i, struct config_node *node)
{
    struct output_settings *output = &board->outputs[i];

    actuator_configure(&board->actuators[i], node);
    mapping_configure(&output->mapping, node, &board->actuators[i]);
    phrase_configure(&output->write, node, "write",
                     output->mapping.n > 0 ? ACTUATOR_TEXT : board->actuators[i].type);
    output->error = config_string(node, "error", "ERR");
    output->reply_ms = config_duration(node, "reply_timeout", board->board.reply_ms, 1, DAY_MS);
    find_state(output, board, node);
    for (size_t j = 0; j < i; j++)
        if (strcmp(board->actuators[i].name, board->actuators[j].name) == 0)
            config_problem(node, "name", "\"%s\" is there twice", board->actuators[i].name);
    return configure_confirm(output, node);
}

int settings_configure_outputs(struct board_config *out, struct config_node *node)
{
    struct config_node *actuators = config_array(node, "actuators");
    size_t n = settings_bounded(actuators, config_length(actuators), OUTPUTS_MAX);
    int error = 0;

    out->actuators = calloc(n + 1, sizeof *out->actuators);
    out->outputs = calloc(n + 1, sizeof *out->outputs);
    if (!out->actuators || !out->outputs)
        return -ENOMEM;
    out->n_outputs = n;
    for (size_t i = 0; i < n && error == 0; i++)
        error = configure_output(out, i, config_item(actuators, i));
    return error;
}
