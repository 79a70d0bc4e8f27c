/* "encode" in the configuration: what points look like. */
#ifndef ENCODE_SETTINGS_H
#define ENCODE_SETTINGS_H

#include "config.h"
#include "mapping.h"

struct encode_settings {
    struct mapping mapping;
    int64_t past_ms, future_ms; /* 0: any */
};

void encode_settings_read(struct encode_settings *out, struct config_node *node);

#endif
