#include "settings.h"

#include "framing.h"
#include "hash.h"
#include "port.h"
#include "settings_keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOARDS_MAX 256
#define DAY_MS 86400000
#define LINE_DEFAULT 512
#define ENDS_MAX 4
#define BOOT_WAIT_MS 2500
#define BOOT_LEAST_MS 500 /* a reset takes half of it */

size_t settings_bounded(struct config_node *node, size_t length, size_t max)
{
    if (length <= max)
        return length;
    config_problem(node, NULL, "has %zu elements; at most %zu are possible", length, max);
    return max;
}

static void configure_port(struct port_settings *out, struct config_node *node)
{
    const char *frame = config_string(node, "frame", "8N1");

    out->baud = (int)config_integer(node, "baud", PORT_BAUD_DEFAULT, 50, 20000000);
    if (port_read_frame(out, frame) != 0) {
        config_problem(node, "frame", "\"%s\": data bits, parity and stop bits are meant: \"8N1\"",
                       frame);
        port_read_frame(out, "8N1");
    }
    out->dtr = config_bool(node, "dtr", true);
    out->rts = config_bool(node, "rts", true);
}

/* A reset goes by the modem lines, and the board then needs its time. */
static bool configure_reset(struct config_node *node, const char *key)
{
    bool wanted = config_bool(node, key, false);

    if (wanted && !port_has_lines(config_string(node, "port", "")))
        config_problem(node, key,
                       "needs a serial port, here or by \"rfc2217://\": raw TCP carries no DTR");
    if (wanted && config_duration(node, "boot_wait", BOOT_WAIT_MS, 0, DAY_MS) < BOOT_LEAST_MS)
        config_problem(node, key, "needs a \"boot_wait\" of at least %d ms", BOOT_LEAST_MS);
    return wanted;
}

static void configure_ends(struct link_settings *out, struct config_node *node)
{
    out->line_ends = config_string(node, "line_end", "\r\n");
    out->request_end = config_string(node, "request_end", "\n");
    if (out->line_ends[0] == '\0')
        config_problem(node, "line_end", "is empty: no line would ever end");
    if (strlen(out->line_ends) > ENDS_MAX || strlen(out->request_end) > ENDS_MAX)
        config_problem(node, "line_end", "and \"request_end\" have at most %d characters",
                       ENDS_MAX);
}

static void configure_link(struct link_settings *out, struct config_node *node)
{
    struct config_node *backoff = config_object(node, "backoff");
    struct config_node *checksum = config_object(node, "checksum");

    out->url = config_require_string(node, "port");
    if (out->url[0] != '\0' && port_check(out->url) != 0)
        config_problem(node, "port",
                       "\"%s\": a path such as \"/dev/serial/by-id/…\", "
                       "\"usb:VID:PID\", \"tcp://host:port\" or \"rfc2217://host:port\" is meant",
                       out->url);
    configure_port(&out->port, node);
    out->reset_on_open = configure_reset(node, "reset_on_open");
    configure_ends(out, node);
    out->max_line = (size_t)config_integer(node, "max_line", LINE_DEFAULT, 1, FRAMING_LINE_MAX);
    out->checksum =
        (enum checksum_kind)config_choice(checksum, "kind", checksum_names, CHECKSUM_NONE);
    out->sums_requests = config_bool(checksum, "requests", false);
    out->backoff_first_ms = config_duration(backoff, "first", 500, 1, DAY_MS);
    out->backoff_max_ms = config_duration(backoff, "max", 15000, 1, DAY_MS);
    if (out->backoff_first_ms > out->backoff_max_ms)
        config_problem(backoff, "first", "is longer than \"max\"");
}

static void configure_conversation(struct board_config *out, struct config_node *node)
{
    struct config_node *breaker = config_object(node, "breaker");

    out->board.boot_ms = config_duration(node, "boot_wait", BOOT_WAIT_MS, 0, DAY_MS);
    out->board.reset_on_hang = configure_reset(node, "reset_on_hang");
    out->board.reply_ms = config_duration(node, "reply_timeout", 1000, 1, DAY_MS);
    out->offline_after = (unsigned)config_integer(node, "offline_after", 3, 1, 1000);
    out->board.threshold = (unsigned)config_integer(breaker, "threshold", 5, 1, 1000);
    out->board.open_ms = config_duration(breaker, "open", 60000, 1, DAY_MS);
}

/* Conditions over fields that nothing reads would never hold, or never be missed. */
static int check_conditions(const struct board_config *board, struct config_node *node)
{
    struct fields fields = {0};
    int error = 0;

    for (size_t i = 0; i < board->board.n_polls && error == 0; i++)
        for (size_t j = 0; j < board->polls[i].n_points && error == 0; j++)
            error =
                fields_add(&fields, board->polls[i].measurement, board->polls[i].points[j].name);
    for (size_t i = 0; i < board->n_outputs && error == 0; i++)
        actuator_check(&board->actuators[i], &fields,
                       config_item(config_array(node, "actuators"), i));
    if (error == 0)
        failsafe_check(&board->feed.watchdog.missing, &fields, config_object(node, "watchdog"));
    fields_free(&fields);
    return error;
}

static int configure_board(struct board_config *out, struct config_node *node)
{
    int error;

    snprintf(out->location, sizeof out->location, "%s", config_require_name(node, "location"));
    snprintf(out->device, sizeof out->device, "%s", config_require_name(node, "device"));
    configure_link(&out->link, node);
    configure_conversation(out, node);
    if (config_has(node, "watchdog"))
        feed_configure(&out->feed, config_object(node, "watchdog"));
    error = settings_configure_polls(out, node);
    if (error == 0)
        error = settings_configure_outputs(out, node);
    if (error == 0)
        error = check_conditions(out, node);
    out->digest = config_digest(HASH_START, node);
    return error ? error : board_config_own(out);
}

static void check_neighbours(const struct settings *settings, size_t i, struct config_node *node)
{
    const struct board_config *board = settings->boards[i];

    for (size_t j = 0; j < i; j++) {
        const struct board_config *other = settings->boards[j];

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
    size_t n = settings_bounded(devices, config_length(devices), BOARDS_MAX);
    struct settings *settings = calloc(1, sizeof *settings + n * sizeof(settings->boards[0]));
    int error = settings ? 0 : -ENOMEM;

    if (settings)
        backlog_configure(&settings->backlog, root);
    if (n == 0)
        config_problem(root, "devices", "names no device: there is nothing to do");
    while (error == 0 && settings->n_boards < n) {
        size_t i = settings->n_boards;
        struct config_node *device = config_item(devices, i);

        settings->boards[i] = calloc(1, sizeof *settings->boards[i]);
        if (!settings->boards[i]) {
            error = -ENOMEM;
            break;
        }
        settings->n_boards++;
        error = configure_board(settings->boards[i], device);
        if (error == 0)
            check_neighbours(settings, i, device);
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
    for (size_t i = 0; i < settings->n_boards; i++)
        board_config_free(settings->boards[i]);
    free(settings);
}
