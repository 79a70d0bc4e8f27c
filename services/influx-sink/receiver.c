#include "receiver.h"

#include "clock.h"
#include "log.h"
#include "message.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RETRY_MS 20 /* the reader makes room by whole segments, so looking more often is no use */

struct receiver {
    struct spool *spool;
    struct echo *echo;
    struct buffer record;
    int stop; /* eventfd, readable once nobody shall wait any more */
    atomic_int blocked;
    health_counter *messages, *blocked_times;
};

int receiver_open(struct receiver **out, struct spool *spool, struct echo *echo,
                  struct health *health)
{
    struct receiver *receiver = calloc(1, sizeof(*receiver));
    int error;

    if (!receiver)
        return -ENOMEM;
    receiver->spool = spool;
    receiver->echo = echo;
    receiver->messages = health_count(health, "messages");
    receiver->blocked_times = health_count(health, "blocked");
    receiver->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (receiver->stop < 0) {
        error = -errno;
        free(receiver);
        return error;
    }
    *out = receiver;
    return 0;
}

void receiver_close(struct receiver *receiver)
{
    if (!receiver)
        return;
    buffer_free(&receiver->record);
    close(receiver->stop);
    free(receiver);
}

static int receiver_pack(struct receiver *receiver, const struct mqtt_message *from)
{
    struct message message = {.topic = from->topic,
                              .topic_length = strlen(from->topic),
                              .payload = from->payload,
                              .size = from->size,
                              .received_ms = clock_time_ms()};

    buffer_clear(&receiver->record);
    return message_pack(&message, &receiver->record);
}

static int receiver_append(struct receiver *receiver, const struct mqtt_message *message)
{
    int error = receiver_pack(receiver, message);

    return error ? error
                 : spool_append(receiver->spool, receiver->record.data, receiver->record.size);
}

/* Waits a little; false where it was told to give up. */
static bool receiver_wait(struct receiver *receiver)
{
    struct pollfd stop = {.fd = receiver->stop, .events = POLLIN};

    return poll(&stop, 1, RETRY_MS) == 0;
}

int receiver_on_message(void *self, const struct mqtt_message *message)
{
    struct receiver *receiver = self;
    int error;

    if (echo_came(receiver->echo, message->topic))
        return 0;
    while ((error = receiver_append(receiver, message)) != 0) {
        if (atomic_exchange(&receiver->blocked, error) == 0) {
            health_raise(receiver->blocked_times, 1);
            log_error("spool_refuses", "reason=\"%s\" what_happens=\"the broker keeps the rest\"",
                      strerror(-error));
        }
        if (!receiver_wait(receiver))
            return error;
    }
    if (atomic_exchange(&receiver->blocked, 0) != 0)
        log_info("spool_takes_again", "topic=%s", message->topic);
    health_raise(receiver->messages, 1);
    return 0;
}

void receiver_stop(struct receiver *receiver)
{
    eventfd_write(receiver->stop, 1);
}

int receiver_blocked(const struct receiver *receiver)
{
    return atomic_load(&receiver->blocked);
}
