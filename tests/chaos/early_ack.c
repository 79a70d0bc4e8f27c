/* A planted bug for the oracle to find: LD_PRELOAD puts this between influx-sink and paho, and
 * every message is acknowledged at once and handed on only DELAY_MS later. A sink that is killed
 * meanwhile has acknowledged what it does not have. Nothing of this is in the programs. */
#include <dlfcn.h>
#include <MQTTAsync.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define DELAY_MS 50

struct held {
    struct held *next;
    char *topic;
    int topic_length;
    MQTTAsync_message *message;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct held *first, **last = &first;
static MQTTAsync_messageArrived *hand_on;
static void *receiver;

static int acknowledge_at_once(void *self, char *topic, int topic_length,
                               MQTTAsync_message *message)
{
    struct held *held = malloc(sizeof(*held));

    (void)self;
    if (!held)
        abort();
    *held = (struct held){NULL, topic, topic_length, message};
    pthread_mutex_lock(&mutex);
    *last = held;
    last = &held->next;
    pthread_mutex_unlock(&mutex);
    return 1;
}

static void *hand_on_later(void *unused)
{
    (void)unused;
    for (;;) {
        struct held *held;

        usleep(DELAY_MS * 1000);
        pthread_mutex_lock(&mutex);
        held = first;
        first = NULL;
        last = &first;
        pthread_mutex_unlock(&mutex);
        while (held) {
            struct held *next = held->next;

            hand_on(receiver, held->topic, held->topic_length, held->message);
            free(held);
            held = next;
        }
    }
    return NULL;
}

__attribute__((visibility("default"))) int
MQTTAsync_setCallbacks(MQTTAsync handle, void *context, MQTTAsync_connectionLost *lost,
                       MQTTAsync_messageArrived *arrived, MQTTAsync_deliveryComplete *complete)
{
    int (*real)(MQTTAsync, void *, MQTTAsync_connectionLost *, MQTTAsync_messageArrived *,
                MQTTAsync_deliveryComplete *);
    pthread_t thread;

    *(void **)&real = dlsym(RTLD_NEXT, "MQTTAsync_setCallbacks");
    hand_on = arrived;
    receiver = context;
    if (!real || pthread_create(&thread, NULL, hand_on_later, NULL) != 0)
        abort();
    return real(handle, context, lost, acknowledge_at_once, complete);
}
