#include "announced.h"
#include "meta_read.h"
#include "topic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void announced_close(struct announced *announced)
{
    if (!announced)
        return;
    for (size_t i = 0; i < announced->n; i++)
        free(announced->devices[i].items);
    free(announced->devices);
    free(announced);
}

/* Found, and then emptied, or made. */
static struct announced_device *fresh_device(struct announced *announced, const struct topic *topic)
{
    for (size_t i = 0; i < announced->n; i++) {
        struct announced_device *device = &announced->devices[i];
        if (strcmp(device->location, topic->location) == 0 &&
            strcmp(device->name, topic->device) == 0) {
            device->n = 0;
            return device;
        }
    }
    struct announced_device *grown =
        realloc(announced->devices, (announced->n + 1) * sizeof(*grown));
    if (!grown)
        return NULL;
    announced->devices = grown;
    struct announced_device *device = &grown[announced->n++];
    *device = (struct announced_device){.n = 0};
    memcpy(device->location, topic->location, sizeof(device->location));
    memcpy(device->name, topic->device, sizeof(device->name));
    return device;
}

static int add(struct announced_device *device, const char *measurement, const char *name)
{
    if (!topic_name_valid(name) || (measurement[0] && !topic_name_valid(measurement)))
        return 0; /* no rule can name it */
    struct announced_item *grown = realloc(device->items, (device->n + 1) * sizeof(*grown));
    if (!grown)
        return -ENOMEM;
    device->items = grown;
    struct announced_item *item = &grown[device->n++];
    *item = (struct announced_item){.measurement = ""};
    memcpy(item->measurement, measurement, strlen(measurement));
    memcpy(item->name, name, strlen(name));
    return 0;
}

static int on_point(void *self, const char *measurement, const char *name)
{
    return add(self, measurement, name);
}

static int on_actuator(void *self, const char *name)
{
    return add(self, "", name);
}

struct reader {
    const char *root;
    struct announced *announced;
};

static int on_message(void *self, const struct capture_message *message, char *error,
                      size_t error_size)
{
    const struct reader *reader = self;
    struct topic topic;
    if (!message->topic || message->size == 0 ||
        topic_parse(&topic, reader->root, message->topic) < 0 || topic.kind != TOPIC_META)
        return 0;
    struct announced_device *device = fresh_device(reader->announced, &topic);
    if (!device)
        return -ENOMEM;
    return meta_read(&(struct meta_reader){on_point, on_actuator, device}, message->payload,
                     message->size, error, error_size);
}

int announced_open(struct announced **out, const struct capture *capture, const char *root)
{
    struct announced *announced = calloc(1, sizeof(*announced));
    if (!announced)
        return -ENOMEM;
    int error = capture_run(capture, on_message, &(struct reader){root, announced});
    if (error) {
        announced_close(announced);
        return error;
    }
    *out = announced;
    return 0;
}
