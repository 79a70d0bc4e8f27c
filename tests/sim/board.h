/* What the simulated Arduino answers: lines in, lines out, over a greenhouse. Pure.
 *
 *   READ_SENSORS            TEMP:23.5,HUM:68.0,SOIL:41.2,LIGHT:812,FAN:0,IRRIGATION:0,LED:0
 *   GET_DATA                {"temp":23.5,"hum":68.0,"soil":41.2,"light":812,"fan":false,…}
 *   LED,{pin},{ON|OFF}      OK, or ERR,<text>; pins: 13 fan, 12 irrigation, 11 led
 *   ALIVE                   OK: the heartbeat; from the first one on no other line counts as one
 * and, which no real board has, for tests:
 *   SIM,{fault},{value}     garbage, silent, partial: the share of answers, 0..1; slow: ms;
 *                           stuck: temp, hum, soil, light or none
 *   SIM,SET,{sensor},{value}
 * Faults change the answers, never what a command does; SIM lines suffer none. */
#ifndef BOARD_H
#define BOARD_H

#include "greenhouse.h"
#include "noise.h"

#include <stddef.h>

#define BOARD_LINE_MAX 128    /* characters of a request */
#define BOARD_ANSWER_SIZE 256 /* bytes of an answer, NUL included */

enum board_sensor { BOARD_TEMP, BOARD_HUM, BOARD_SOIL, BOARD_LIGHT, BOARD_SENSORS };

struct board {
    struct greenhouse greenhouse;
    struct noise noise; /* of the faults */
    double garbage;
    double silent;
    double partial;
    int64_t slow_ms;
    enum board_sensor stuck; /* BOARD_SENSORS: none */
    double stuck_at;
    bool fed; /* by an ALIVE */
};

struct board_answer {
    char text[BOARD_ANSWER_SIZE]; /* line end included; may hold any byte where it is garbage */
    size_t length;                /* 0: no answer */
    int64_t delay_ms;
};

void board_init(struct board *board, uint64_t seed);

/* `line` is without its line end. */
void board_answer(struct board *board, const char *line, struct board_answer *out);

/* What the line is for the board's dead-man: whether it keeps the outputs on. */
bool board_is_kept(struct board *board, const char *line);

/* All outputs off: what the board does where nothing kept them for too long. Whether one was on. */
bool board_let_go(struct board *board);

/* Sets a fault by its name: "garbage", "0.1". Returns 0 or -EINVAL. */
int board_fault(struct board *board, const char *name, const char *value);

#endif
