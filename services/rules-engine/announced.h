/* What the agents announce in `meta`, as a capture has it. */
#ifndef ANNOUNCED_H
#define ANNOUNCED_H

#include "capture.h"
#include "topic.h"

/* A point, or an actuator where `measurement` is empty. */
struct announced_item {
    char measurement[TOPIC_NAME_SIZE], name[TOPIC_NAME_SIZE];
};

struct announced_device {
    char location[TOPIC_NAME_SIZE], name[TOPIC_NAME_SIZE];
    struct announced_item *items; /* owned */
    size_t n;
};

struct announced {
    struct announced_device *devices; /* owned */
    size_t n;
};

/* Reads the `meta` of a capture; of two of a device the later holds. Returns as capture_run(). */
int announced_open(struct announced **out, const struct capture *capture, const char *root);
void announced_close(struct announced *announced);

#endif
