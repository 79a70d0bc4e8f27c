#include "target_kind.h"

#include <errno.h>
#include <stdlib.h>

struct target {
    const struct target_functions *functions;
    void *self;
};

static const struct target_functions *const kinds[] = {[TARGET_INFLUXDB2] = &target_influx,
                                                       [TARGET_INFLUXDB1] = &target_influx,
                                                       [TARGET_INFLUXDB3] = &target_influx,
                                                       [TARGET_FILE] = &target_file};

int target_open(struct target **out, const struct target_settings *settings)
{
    struct target *target = calloc(1, sizeof(*target));
    int error;

    if (!target)
        return -ENOMEM;
    target->functions = kinds[settings->kind];
    error = target->functions->open(&target->self, settings);
    if (error) {
        free(target);
        return error;
    }
    *out = target;
    return 0;
}

void target_close(struct target *target)
{
    if (!target)
        return;
    target->functions->close(target->self);
    free(target);
}

void target_post(struct target *target, unsigned slot, const char *lines, size_t size)
{
    target->functions->post(target->self, slot, lines, size);
}

bool target_answered(struct target *target, unsigned slot, struct target_answer *answer)
{
    *answer = (struct target_answer){0};
    return target->functions->answered(target->self, slot, answer);
}

void target_wait(struct target *target, struct pollfd *also, size_t n, int timeout_ms)
{
    target->functions->wait(target->self, also, n, timeout_ms);
}

void target_send(struct target *target, const char *lines, size_t size,
                 struct target_answer *answer)
{
    target_post(target, 0, lines, size);
    while (!target_answered(target, 0, answer))
        target_wait(target, NULL, 0, 1000);
}

void target_words(struct target_answer *answer, const char *text, size_t size)
{
    size_t length = 0;

    while (size > 0 && (unsigned char)text[size - 1] <= ' ')
        size--;
    for (; length < size && length < sizeof(answer->words) - 1; length++)
        answer->words[length] = (unsigned char)text[length] < ' ' ? ' ' : text[length];
    answer->words[length] = '\0';
}
