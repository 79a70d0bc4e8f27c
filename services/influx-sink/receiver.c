#include "receiver.h"

#include "clock.h"
#include "halt.h"
#include "log.h"
#include "message.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 20 /* the reader makes room by whole segments, so looking more often is no use */

struct receiver {
    struct spool *spool;
    struct buffer record;
    struct halt halt; /* nobody shall wait any more */
    atomic_int blocked;
    health_counter *messages, *blocked_times;
};

int receiver_open(struct receiver **out, struct spool *spool, struct health *health)
{
    struct receiver *receiver = calloc(1, sizeof(*receiver));
    int error;

    if (!receiver)
        return -ENOMEM;
    receiver->spool = spool;
    receiver->messages = health_count(health, "messages");
    receiver->blocked_times = health_count(health, "blocked");
    error = halt_open(&receiver->halt);
    if (error) {
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
    halt_close(&receiver->halt);
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

int receiver_on_message(struct receiver *receiver, const struct mqtt_message *message)
{
    int error;

    while ((error = receiver_append(receiver, message)) != 0) {
        if (atomic_exchange(&receiver->blocked, error) == 0) {
            health_raise(receiver->blocked_times, 1);
            log_error("spool_refuses", "reason=\"%s\" what_happens=\"the broker keeps the rest\"",
                      strerror(-error));
        }
        if (!halt_sleep(&receiver->halt, clock_now_ms() + RETRY_MS, -1))
            return error;
    }
    if (atomic_exchange(&receiver->blocked, 0) != 0)
        log_info("spool_takes_again", "topic=%s", message->topic);
    health_raise(receiver->messages, 1);
    return 0;
}

void receiver_stop(struct receiver *receiver)
{
    halt_call(&receiver->halt);
}

int receiver_blocked(const struct receiver *receiver)
{
    return atomic_load(&receiver->blocked);
}
