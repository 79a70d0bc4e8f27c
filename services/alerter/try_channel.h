/* alerter --test CHANNEL: sends one notification through a channel. */
#ifndef TRY_CHANNEL_H
#define TRY_CHANNEL_H

#include "settings.h"

int try_channel(const struct settings *settings, const char *name); /* the exit code */

#endif
