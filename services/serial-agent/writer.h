/* The write that is in flight: from the command to the line that goes out, from the board's reply
 * and the reading after it to the command's result. The line that feeds the board's watchdog goes
 * the same way, after what is commanded. */
#ifndef WRITER_H
#define WRITER_H

#include "board.h"
#include "controls.h"
#include "reading.h"
#include "settings.h"

#define WRITER_MESSAGE_SIZE 128
#define WRITER_NONE (-1)
#define WRITER_FEED (-2)

struct writer {
    const struct board_config *config; /* borrowed */
    struct controls *controls;         /* borrowed */
    int index; /* the actuator's; WRITER_NONE: nothing is in flight, or WRITER_FEED */
    bool feed_owed;
    const struct value *wanted; /* borrowed from controls until done */
    struct value held;          /* read back; a text is borrowed from the last reading */
    char line[PHRASE_SIZE];
    char message[WRITER_MESSAGE_SIZE]; /* what the board said against it */
};

void writer_init(struct writer *writer, const struct board_config *config,
                 struct controls *controls);

/* The board's watchdog is to be fed; ends in a controls_fed(). */
void writer_feed(struct writer *writer);

/* As struct board_handlers wants them. */
bool writer_next(struct writer *writer, struct board_write *out);
enum board_answer writer_line(struct writer *writer, const char *line);
void writer_end(struct writer *writer, enum board_end end);

/* A poll has been read: tells the actuators what it says of them. */
void writer_observe(struct writer *writer, size_t poll, const struct reading *reading);

#endif
