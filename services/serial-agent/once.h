/* `serial-agent --once`: asks each board each of its polls once, waits for each of its streams, and
 * shows the bytes and what they were read as. Writes nothing to a board, and needs no broker. */
#ifndef ONCE_H
#define ONCE_H

#include "settings.h"

int once_run(
    const struct settings *settings); /* exit code: 0, or 69 where a board did not answer */

#endif
