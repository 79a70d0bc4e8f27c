/* Whom an engine has to hear where several share the work: its own devices, and those that some
 * derived value or rule names, to read them or to command them, whoever's they are. Pure. */
#ifndef HEARING_H
#define HEARING_H

#include "settings.h"

struct hearing {
    const struct shard *shard; /* borrowed, as the names are */
    const char **names;        /* owned; of devices, sorted, each once */
    size_t n;
};

/* Borrows from the settings. Returns 0 or -ENOMEM. */
int hearing_open(struct hearing *out, const struct settings *settings);
void hearing_close(struct hearing *hearing);

/* Also for a device of a name that is meant at another location. */
bool hearing_wants(const struct hearing *hearing, const char *location, const char *device);

#endif
