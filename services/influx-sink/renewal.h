/* Looks every other second whether a store's token or password, in the file that it was read from,
 * is another one by now, as after --setup or where it is renewed; then the configuration is read
 * again, as on SIGHUP. */
#ifndef RENEWAL_H
#define RENEWAL_H

#include "loop.h"
#include "settings.h"

struct renewal;

/* Both are borrowed until the end. Returns 0 or -ENOMEM. */
int renewal_open(struct renewal **out, struct loop *loop, const struct settings *settings);
void renewal_close(struct renewal *renewal); /* NULL is ignored */

#endif
