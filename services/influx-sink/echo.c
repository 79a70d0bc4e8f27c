#include "echo.h"

#include "topic.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ECHO_MAX 64

struct echo {
    size_t n;
    struct {
        char *filter;
        char topic[TOPIC_SIZE]; /* empty: it is not tested, topic_echo() says why */
    } items[ECHO_MAX];
    _Atomic uint64_t came; /* a bit for each item */
};

int echo_open(struct echo **out, const char *const *filters)
{
    struct echo *echo = calloc(1, sizeof(*echo));

    if (!echo)
        return -ENOMEM;
    for (size_t i = 0; filters[i] && i < ECHO_MAX; i++) {
        echo->items[i].filter = strdup(filters[i]);
        if (!echo->items[i].filter) {
            echo_close(echo);
            return -ENOMEM;
        }
        if (topic_echo(echo->items[i].topic, filters[i]) != 0)
            echo->items[i].topic[0] = '\0';
        echo->n++;
    }
    *out = echo;
    return 0;
}

void echo_close(struct echo *echo)
{
    if (!echo)
        return;
    for (size_t i = 0; i < echo->n; i++)
        free(echo->items[i].filter);
    free(echo);
}

static bool is_tested(const struct echo *echo, size_t i)
{
    return echo->items[i].topic[0] != '\0';
}

void echo_send(struct echo *echo, struct mqtt *mqtt)
{
    atomic_store(&echo->came, 0);
    for (size_t i = 0; i < echo->n; i++)
        if (is_tested(echo, i))
            mqtt_publish_text(mqtt, echo->items[i].topic, "{\"echo\":true}", false);
}

bool echo_came(struct echo *echo, const char *topic)
{
    if (!topic_is_echo(topic))
        return false;
    for (size_t i = 0; i < echo->n; i++)
        if (topic_matches(echo->items[i].filter, topic))
            atomic_fetch_or(&echo->came, UINT64_C(1) << i);
    return true;
}

const char *echo_missing(const struct echo *echo)
{
    uint64_t came = atomic_load(&echo->came);

    for (size_t i = 0; i < echo->n; i++)
        if (is_tested(echo, i) && !(came >> i & 1))
            return echo->items[i].filter;
    return NULL;
}
