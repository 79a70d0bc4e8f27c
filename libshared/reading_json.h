/* A reading as a part of a larger JSON document, such as the cause of an alert. */
#ifndef READING_JSON_H
#define READING_JSON_H

#include "jsonr.h"
#include "jsonw.h"
#include "reading.h"

/* Writes "ts", "seq", "values" and, where there are faults, "bad" into the object that is open. */
void reading_write_members(const struct reading *reading, struct jsonw *w);

/* Reads the same from an object. Names and texts are borrowed from the tree. Returns 0, -ENOMEM, or
 * -EBADMSG with a sentence in `in->error`. */
int reading_read_members(struct reading *reading, const struct jsonr *in);

/* As reading_decode(), whatever the form. */
int reading_json_decode(const void *payload, size_t size, reading_fn *on_reading, void *self,
                        char *error, size_t error_size);

#endif
