/* A TCP connection in the making: name looked up and addresses tried one after the other, without
 * making the loop wait. */
#ifndef TCP_H
#define TCP_H

struct tcp;

/* `address` is "host:port" or "[::1]:port". Returns 0, -EINVAL, -ENOMEM or -EAGAIN. */
int tcp_open(struct tcp **out, const char *address);
void tcp_close(struct tcp *tcp);    /* takes NULL */
int tcp_check(const char *address); /* whether it has that form: 0 or -EINVAL */

/* Returns 0 once connected; -EINPROGRESS: ask again when tcp_fd() is writable or, while it is -1
 * (the name is being looked up), a little later; -errno where it failed. The descriptor can change
 * until then. */
int tcp_ready(struct tcp *tcp);
int tcp_fd(const struct tcp *tcp); /* borrowed */

#endif
