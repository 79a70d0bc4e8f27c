/* What serial-agent's configuration says. Strings are borrowed from the configuration. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "actuator_settings.h"
#include "backlog.h"
#include "board.h"
#include "config.h"
#include "decode.h"
#include "link.h"
#include "phrase.h"
#include "point.h"
#include "topic.h"

#include <stddef.h>

/* A request, and what its reply is read as: one measurement. */
struct poll_settings {
    char measurement[TOPIC_NAME_SIZE];
    decode_fn *decode;
    size_t n_points;
    struct point points[DECODE_FIELDS_MAX];
    const char *fields[DECODE_FIELDS_MAX]; /* the board's name of each point */
};

/* How an actuator is written and confirmed; beside its struct actuator_settings. */
struct output_settings {
    struct phrase write;
    const char *expect; /* how a reply that confirms begins */
    const char *error;  /* how a reply that refuses begins */
    int state_poll;     /* the poll and the point that read it back; -1: none */
    int state_point;
};

struct board_config {
    char location[TOPIC_NAME_SIZE];
    char device[TOPIC_NAME_SIZE];
    struct link_settings link;
    struct board_settings board;
    unsigned offline_after; /* polls without an answer in a row */
    struct board_poll requests[BOARD_POLLS_MAX];
    struct poll_settings *polls;         /* array of board.n_polls; owned */
    struct actuator_settings *actuators; /* array of n_outputs; owned */
    struct output_settings *outputs;     /* likewise */
    size_t n_outputs;
};

struct settings {
    struct backlog_settings backlog;
    size_t n_boards;
    struct board_config boards[];
};

/* Gives away the settings; as service_program.configure and .discard want it. */
int settings_configure(void **out, struct config_node *root);
void settings_discard(void *settings);

#endif
