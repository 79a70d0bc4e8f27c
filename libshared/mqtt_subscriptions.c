#include "mqtt_subscriptions.h"

#include "log.h"
#include "topic.h"

#include <stdlib.h>
#include <string.h>

static void subscription_free(struct mqtt_subscription *subscription)
{
    if (!subscription)
        return;
    free(subscription->filter);
    free(subscription->echo_topic);
    free(subscription);
}

static struct mqtt_subscription *subscription_new(const char *filter, unsigned flags)
{
    struct mqtt_subscription *subscription = calloc(1, sizeof *subscription);
    if (!subscription)
        return NULL;
    char echo_topic[TOPIC_SIZE];
    bool echoes = topic_echo(echo_topic, filter) == 0;
    *subscription = (struct mqtt_subscription){
        .filter = strdup(filter), .echo_topic = echoes ? strdup(echo_topic) : NULL, .flags = flags};
    if (subscription->filter)
        return subscription;
    subscription_free(subscription);
    return NULL;
}

struct mqtt_subscription *mqtt_subscriptions_add(struct mqtt_subscriptions *subscriptions,
                                                 const char *filter, unsigned flags,
                                                 mqtt_message_fn *on_message, void *self)
{
    struct mqtt_subscription **grown =
        realloc(subscriptions->each, (subscriptions->n + 1) * sizeof(*subscriptions->each));
    if (!grown)
        return NULL;
    subscriptions->each = grown;
    struct mqtt_subscription *subscription = subscription_new(filter, flags);
    if (!subscription)
        return NULL;
    subscription->on_message = on_message;
    subscription->self = self;
    subscriptions->each[subscriptions->n++] = subscription;
    return subscription;
}

void mqtt_subscriptions_remove(struct mqtt_subscriptions *subscriptions, size_t index)
{
    struct mqtt_subscription **at = &subscriptions->each[index];
    subscription_free(*at);
    memmove(at, at + 1, (--subscriptions->n - index) * sizeof(*at));
}

void mqtt_subscriptions_clear(struct mqtt_subscriptions *subscriptions)
{
    while (subscriptions->n > 0)
        subscription_free(subscriptions->each[--subscriptions->n]);
    free(subscriptions->each);
    subscriptions->each = NULL;
}

size_t mqtt_subscriptions_count(const struct mqtt_subscriptions *subscriptions, const char *filter)
{
    size_t count = 0;
    for (size_t i = 0; i < subscriptions->n; i++)
        count += strcmp(subscriptions->each[i]->filter, filter) == 0;
    return count;
}

void mqtt_subscriptions_dispatch(const struct mqtt_subscriptions *subscriptions,
                                 const struct mqtt_message *message)
{
    const char *first = NULL;
    for (size_t i = 0; i < subscriptions->n; i++) {
        const struct mqtt_subscription *subscription = subscriptions->each[i];
        const char *filter = subscription->filter;
        if (first ? strcmp(filter, first) != 0 : !topic_matches(filter, message->topic))
            continue;
        first = filter;
        subscription->on_message(subscription->self, message);
    }
}

void mqtt_subscriptions_reconnected(struct mqtt_subscriptions *subscriptions)
{
    for (size_t i = 0; i < subscriptions->n; i++)
        subscriptions->each[i]->heard = false;
}

void mqtt_subscriptions_echo(struct mqtt_subscriptions *subscriptions, const char *topic)
{
    for (size_t i = 0; i < subscriptions->n; i++) {
        struct mqtt_subscription *subscription = subscriptions->each[i];
        if (!subscription->echo_topic || !topic_matches(subscription->filter, topic))
            continue;
        if (subscription->silent)
            log_info("subscription_heard", "filter=%s", subscription->filter);
        subscription->heard = true;
        subscription->silent = false;
    }
}

void mqtt_subscriptions_judge(struct mqtt_subscriptions *subscriptions, const char *user)
{
    for (size_t i = 0; i < subscriptions->n; i++) {
        struct mqtt_subscription *subscription = subscriptions->each[i];
        if (!subscription->echo_topic || subscription->heard || subscription->silent)
            continue;
        subscription->silent = true;
        log_error(
            "subscription_silent",
            "filter=%s reason=\"granted, but a message sent there did not come back\" "
            "what_to_do=\"let user %s read the filter and write and read %s in the broker's ACL\"",
            subscription->filter, user, subscription->echo_topic);
    }
}

bool mqtt_subscriptions_heard(const struct mqtt_subscriptions *subscriptions)
{
    for (size_t i = 0; i < subscriptions->n; i++)
        if (subscriptions->each[i]->echo_topic && !subscriptions->each[i]->heard)
            return false;
    return true;
}

size_t mqtt_subscriptions_silent(const struct mqtt_subscriptions *subscriptions)
{
    size_t silent = 0;
    for (size_t i = 0; i < subscriptions->n; i++)
        silent += subscriptions->each[i]->silent;
    return silent;
}
