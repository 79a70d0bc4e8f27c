/* The write that is in flight: from the command to the line that goes out, from the board's reply
 * and the reading after it to the command's result. */
#ifndef WRITER_H
#define WRITER_H

#include "board.h"
#include "controls.h"
#include "reading.h"
#include "settings.h"

#define WRITER_MESSAGE_SIZE 128

struct writer {
    const struct board_config *config; /* borrowed */
    struct controls *controls;         /* borrowed */
    int index;                         /* the actuator's; -1: nothing is in flight */
    const struct value *wanted;        /* borrowed from controls until done */
    struct value held;                 /* read back; a text is borrowed from the last reading */
    char line[PHRASE_SIZE];
    char message[WRITER_MESSAGE_SIZE]; /* what the board said against it */
};

void writer_init(struct writer *writer, const struct board_config *config,
                 struct controls *controls);

/* As struct board_handlers wants them. */
bool writer_next(struct writer *writer, struct board_write *out);
enum board_answer writer_line(struct writer *writer, const char *line);
void writer_end(struct writer *writer, enum board_end end);

/* A poll has been read: tells the actuators what it says of them. */
void writer_observe(struct writer *writer, size_t poll, const struct reading *reading);

#endif
