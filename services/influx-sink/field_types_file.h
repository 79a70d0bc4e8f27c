/* Field types over a restart: a file of JSON lines, replaced as a whole. The first line is
 * {"format":"fieldline-types","version":1}, each other {"measurement":"…","field":"…","type":"…"}.
 */
#ifndef FIELD_TYPES_FILE_H
#define FIELD_TYPES_FILE_H

#include "field_types.h"

/* A file that is not there has no types, and a line that cannot be read is passed over: what is
 * missing is learnt again. Returns the number of lines passed over; -EPROTO for a file of another
 * kind or version, which is left alone; -ENOMEM or -errno. */
int field_types_load(struct field_types *types, const char *path);

int field_types_save(const struct field_types *types, const char *path); /* 0, -ENOMEM or -errno */

#endif
