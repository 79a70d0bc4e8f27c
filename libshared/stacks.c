#include "stacks.h"

#include <pthread.h>

/* Measured, resident at most: 16 KiB of any, TLS handshakes, paho and curl included. The rest is
 * for what a host's name service modules put there, and for sanitizers. */
#define STACK_BYTES (512 * 1024)

void stacks_bound(void)
{
    pthread_attr_t attributes;

    if (pthread_attr_init(&attributes) != 0)
        return;
    if (pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0)
        pthread_setattr_default_np(&attributes);
    pthread_attr_destroy(&attributes);
}
