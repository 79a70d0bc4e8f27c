/* A circuit breaker: after `threshold` failures in a row nothing is asked of the other side for
 * `open_ms`, then exactly one probe decides (Nygard, "Release It!", 2nd edition, chapter 5). Pure.
 */
#ifndef BREAKER_H
#define BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

struct breaker {
    unsigned threshold; /* failures in a row that open it; at least 1 */
    int64_t open_ms;
    enum breaker_state state;
    unsigned failures;
    int64_t opened_ms;
};

void breaker_init(struct breaker *breaker, unsigned threshold, int64_t open_ms);

/* Whether a request may go out now. In half-open it says yes once, until the answer is reported. */
bool breaker_allow(struct breaker *breaker, int64_t now_ms);
void breaker_success(struct breaker *breaker);
void breaker_failure(struct breaker *breaker, int64_t now_ms);

/* When breaker_allow() can next say yes: now_ms or later. While the probe is out, open_ms from now:
 * what its failure would mean; ask again once it is reported. */
int64_t breaker_ready_ms(const struct breaker *breaker, int64_t now_ms);
const char *breaker_state_name(enum breaker_state state); /* "closed", "open", "half_open" */

#endif
