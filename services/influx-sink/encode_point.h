/* One point of a message: its measurement and tags, then field by field in the type that the field
 * has, then lines_end(). Part of encode.h. Pure. */
#ifndef ENCODE_POINT_H
#define ENCODE_POINT_H

#include "encode.h"

#define COLUMNS_MAX 16

/* A number of one name went into the text with this key, as a float. */
struct column {
    const char *name; /* borrowed from the message's readings; NULL: it did not */
    struct lines_key key;
};

struct encoding {
    const struct encoder *encoder;
    const struct message *message;
    struct lines *lines;
    struct encode_notes *notes;
    const char *below_root; /* the topic without it */
    struct topic topic;
    struct mapped mapped;
    bool again; /* the last line of `lines` is a reading of the same message */
    struct column columns[COLUMNS_MAX]; /* of that message's readings, by the place in them */
};

/* False, and a fault is noted, where the time is out of the encoder's window. */
bool encode_in_window(struct encoding *e, int64_t ts_ms);

/* False where there is to be no such point. `extra` is the tag that has the topic's last level;
 * NULL: none. */
bool encode_begin(struct encoding *e, const char *measurement, const char *extra, int64_t ts_ms);

/* Returns the type of the field. What does not fit it is noted as a fault and left out, as is
 * VALUE_NONE. */
enum field_type encode_put(struct encoding *e, const char *name, const struct value *value);

void encode_put_number(struct encoding *e, const char *name, double number);
void encode_put_text(struct encoding *e, const char *name, const char *text); /* NULL is left out */

/* A value of any type, as one of two fields; see encode.h. */
void encode_put_any(struct encoding *e, const char *number, const char *text,
                    const struct value *value);

#endif
