#include "board.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const sensor_names[] = {"temp", "hum", "soil", "light"};

void board_init(struct board *board, uint64_t seed)
{
    *board = (struct board){.noise = {.state = ~seed}, .stuck = BOARD_SENSORS};
    greenhouse_init(&board->greenhouse, seed);
}

static double *board_sensor(struct board *board, enum board_sensor sensor)
{
    struct greenhouse *greenhouse = &board->greenhouse;
    double *const sensors[] = {&greenhouse->temperature, &greenhouse->humidity,
                               &greenhouse->soil_moisture, &greenhouse->light};

    return sensors[sensor];
}

static double board_read(struct board *board, enum board_sensor sensor)
{
    return sensor == board->stuck ? board->stuck_at : *board_sensor(board, sensor);
}

static enum board_sensor find_sensor(const char *name)
{
    enum board_sensor i = BOARD_TEMP;

    while (i < BOARD_SENSORS && strcasecmp(name, sensor_names[i]) != 0)
        i++;
    return i;
}

static bool parse_number(const char *text, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*out);
}

static int board_stick(struct board *board, const char *name)
{
    enum board_sensor sensor = find_sensor(name);

    if (sensor == BOARD_SENSORS && strcmp(name, "none") != 0)
        return -EINVAL;
    if (sensor != BOARD_SENSORS)
        board->stuck_at = board_read(board, sensor);
    board->stuck = sensor;
    return 0;
}

int board_fault(struct board *board, const char *name, const char *value)
{
    double number = 0;

    if (strcmp(name, "stuck") == 0)
        return board_stick(board, value);
    if (!parse_number(value, &number) || number < 0)
        return -EINVAL;
    if (strcmp(name, "slow") == 0)
        board->slow_ms = (int64_t)number;
    else if (number > 1)
        return -EINVAL;
    else if (strcmp(name, "garbage") == 0)
        board->garbage = number;
    else if (strcmp(name, "silent") == 0)
        board->silent = number;
    else if (strcmp(name, "partial") == 0)
        board->partial = number;
    else
        return -EINVAL;
    return 0;
}

static void say(struct board_answer *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct board_answer *out, const char *format, ...)
{
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(out->text, sizeof out->text, format, arguments);
    va_end(arguments);
    out->length = (size_t)length < sizeof out->text ? (size_t)length : sizeof out->text - 1;
}

static void answer_pairs(struct board *board, struct board_answer *out)
{
    const struct greenhouse *g = &board->greenhouse;

    say(out, "TEMP:%.1f,HUM:%.1f,SOIL:%.1f,LIGHT:%.0f,FAN:%d,IRRIGATION:%d,LED:%d\r\n",
        board_read(board, BOARD_TEMP), board_read(board, BOARD_HUM), board_read(board, BOARD_SOIL),
        board_read(board, BOARD_LIGHT), g->fan, g->irrigation, g->led);
}

static const char *json_bool(bool on)
{
    return on ? "true" : "false";
}

static void answer_json(struct board *board, struct board_answer *out)
{
    const struct greenhouse *g = &board->greenhouse;

    say(out,
        "{\"temp\":%.1f,\"hum\":%.1f,\"soil\":%.1f,\"light\":%.0f,"
        "\"fan\":%s,\"irrigation\":%s,\"led\":%s}\r\n",
        board_read(board, BOARD_TEMP), board_read(board, BOARD_HUM), board_read(board, BOARD_SOIL),
        board_read(board, BOARD_LIGHT), json_bool(g->fan), json_bool(g->irrigation),
        json_bool(g->led));
}

static bool *board_pin(struct board *board, int pin)
{
    switch (pin) {
    case 13:
        return &board->greenhouse.fan;
    case 12:
        return &board->greenhouse.irrigation;
    case 11:
        return &board->greenhouse.led;
    default:
        return NULL;
    }
}

bool board_is_kept(struct board *board, const char *line)
{
    bool alive = strcmp(line, "ALIVE") == 0;

    board->fed = board->fed || alive;
    return alive || !board->fed;
}

bool board_let_go(struct board *board)
{
    bool any = board->greenhouse.fan || board->greenhouse.irrigation || board->greenhouse.led;

    board->greenhouse.fan = false;
    board->greenhouse.irrigation = false;
    board->greenhouse.led = false;
    return any;
}

static void answer_led(struct board *board, const char *line, struct board_answer *out)
{
    int pin, used = 0;
    bool *output;
    const char *value;

    if (sscanf(line, "LED,%d,%n", &pin, &used) != 1 || used == 0) {
        say(out, "ERR,expected LED,pin,ON or OFF\r\n");
        return;
    }
    value = line + used;
    output = board_pin(board, pin);
    if (!output) {
        say(out, "ERR,unknown pin %d\r\n", pin);
    } else if (strcmp(value, "ON") != 0 && strcmp(value, "OFF") != 0) {
        say(out, "ERR,value must be ON or OFF\r\n");
    } else {
        *output = strcmp(value, "ON") == 0;
        say(out, "OK\r\n");
    }
}

static void answer_sim(struct board *board, const char *line, struct board_answer *out)
{
    char name[16], value[16], target[16];
    enum board_sensor sensor;
    double number;

    if (sscanf(line, "SIM,SET,%15[^,],%15s", target, value) == 2) {
        sensor = find_sensor(target);
        if (sensor == BOARD_SENSORS || !parse_number(value, &number)) {
            say(out, "ERR,expected SIM,SET,temp|hum|soil|light,number\r\n");
            return;
        }
        *board_sensor(board, sensor) = number;
    } else if (sscanf(line, "SIM,%15[^,],%15s", name, value) != 2 ||
               board_fault(board, name, value) < 0) {
        say(out,
            "ERR,expected SIM,garbage|silent|partial,0..1 or SIM,slow,ms or SIM,stuck,sensor\r\n");
        return;
    }
    say(out, "OK\r\n");
}

static bool board_happens(struct board *board, double share)
{
    return share > 0 && noise_between(&board->noise, 0, 1) < share;
}

static void spoil(struct board *board, struct board_answer *out)
{
    out->delay_ms = board->slow_ms;
    if (board_happens(board, board->silent)) {
        out->length = 0;
    } else if (board_happens(board, board->garbage)) {
        for (size_t i = 0; i + 2 < out->length; i++)
            out->text[i] = (char)(unsigned char)noise_between(&board->noise, 1, 256);
    } else if (board_happens(board, board->partial)) {
        out->length /= 2;
    }
}

void board_answer(struct board *board, const char *line, struct board_answer *out)
{
    *out = (struct board_answer){0};
    if (strncmp(line, "SIM,", 4) == 0) {
        answer_sim(board, line, out);
        return;
    }
    if (strcmp(line, "READ_SENSORS") == 0)
        answer_pairs(board, out);
    else if (strcmp(line, "GET_DATA") == 0)
        answer_json(board, out);
    else if (strcmp(line, "ALIVE") == 0)
        say(out, "OK\r\n");
    else if (strncmp(line, "LED,", 4) == 0)
        answer_led(board, line, out);
    else
        say(out, "ERR,unknown command\r\n");
    spoil(board, out);
}
