/* Switches Nagle's algorithm off for a library that neither does so nor tells its descriptor: paho's
 * acknowledgement of one message would hold the next message back until the broker's delayed ACK, by up
 * to 40 ms (RFC 1122, section 4.2.3.4; tests/bench/loop_latency shows it). */
#ifndef NODELAY_H
#define NODELAY_H

/* Sets TCP_NODELAY on every connected TCP socket of the process: harmless for those that have it. */
void nodelay_all(void);

#endif
