/* One Modbus bus, blocking: a TCP connection, with RTU frames on it or not, or a serial line; one
 * request at a time. The only owner of libmodbus. For one thread.
 *
 * Results, here and wherever a request's outcome is handed on:
 *   0            a whole, good answer
 *   1 … 255      the unit refused: the exception code of the specification (section 7)
 *   -ETIMEDOUT   the unit was silent; the link is kept
 *   -EBADMSG     what came was no answer to the question (garbled); the link is kept
 *   -ESTALE      the other side had hung up before; nothing was sent: after bus_connect() the
 *                request may be made again
 *   other -errno the link is gone, bus_disconnect() is due
 *
 * An answer that comes after its time is never taken for the next one: whatever waits on the link
 * is thrown away before a request is sent; over TCP the transaction number is checked, on a serial
 * line the unit (the caller must leave a silent unit alone for another time-out, since two answers
 * of one unit cannot be told apart there). */
#ifndef BUS_H
#define BUS_H

#include "endpoint.h"
#include "table.h"
#include "tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bus;

struct bus_options {
    const struct endpoint *endpoint; /* borrowed */
    const struct tls_options *tls;   /* borrowed; for endpoints of that kind */
    int64_t timeout_ms;              /* for a whole answer */
    int64_t connect_timeout_ms;
};

/* Options are copied. Returns 0 or -ENOMEM. Nothing is connected yet. */
int bus_open(struct bus **out, const struct bus_options *options);
void bus_close(struct bus *bus);

/* Returns 0, or -errno with a sentence in `error`. */
int bus_connect(struct bus *bus, char *error, size_t error_size);
void bus_disconnect(struct bus *bus);

/* Reads the span into `cells`, bits widened to one cell each. */
int bus_read(struct bus *bus, unsigned unit, const struct span *span, uint16_t *cells);

/* Writes a coil or holding registers: functions 5, 6 or 16. */
int bus_write(struct bus *bus, unsigned unit, const struct span *span, const uint16_t *cells);

/* For the log: what there is to say of the link that was made, besides its URL; may be "".
 * Borrowed. */
const char *bus_about(const struct bus *bus);

uint64_t bus_late_replies(const struct bus *bus); /* answers thrown away since the start */

/* Whether a result says that the link is gone, and the contract's word for a result that is not 0.
 */
bool bus_link_lost(int result);
const char *bus_reason(int result);

#endif
