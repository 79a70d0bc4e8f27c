/* A real mosquitto for a unit test, on a free port of the loopback interface. */
#ifndef BROKER_H
#define BROKER_H

#include <stdbool.h>
#include <sys/types.h>

struct broker {
    pid_t pid; /* 0 while stopped */
    int port;
    char directory[64];
    char url[64]; /* mqtt://127.0.0.1:port */
};

/* `acl` is the content of an ACL file, NULL for none; it applies to anonymous clients. The port
 * stays the same over broker_stop() and broker_start(). They fail the test where they cannot. */
void broker_open(struct broker *broker, const char *acl);
void broker_start(struct broker *broker);
void broker_stop(struct broker *broker); /* SIGKILL */
void broker_close(struct broker *broker);

#endif
