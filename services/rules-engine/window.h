/* What a field was lately: the good values of its last minutes, as sums. Pure: time passed in.
 *
 * Time is cut into panes, WINDOW_PANES to a window's length, and of each pane only sums are kept,
 * so that a window has a bound however many values come: 4 KiB. A value leaves with its pane: what
 * is asked covers the length, or up to 1/64 of it less.
 *
 * Missing and bad values leave a hole; true is 1, false is 0, a text is a hole. A window is unknown
 * while it is empty, and until its length has passed since the first value; a gap longer than that
 * begins it anew. count() says how many values there are, for rules that want no large holes; of an
 * empty window too it is known: 0. */
#ifndef WINDOW_H
#define WINDOW_H

#include "buffer.h"
#include "expression.h"
#include "value.h"

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_PANES 64
#define WINDOW_GROUP 8      /* panes whose sum is kept over a restart */
#define WINDOW_SUMMARIES 16 /* at most, a power of two; of a full window 8 or 9 */

struct window_pane {
    int64_t index;
    uint32_t n;
    double sum;
    double squares; /* of the distances from the mean */
    double min, max;
    double last;
};

struct window {
    enum expression_window kind;
    int64_t length_ms;
    int64_t since_ms; /* when the first value was read: of all, or after a gap */
    int64_t last_ms;  /* when the newest one was; 0 before the first */
    double last;
    double average;             /* of EXPRESSION_EXPONENTIAL */
    struct window_pane *panes;  /* owned ring of EXPRESSION_SLIDING */
    uint8_t capacity;           /* a power of two */
    uint8_t first, n;           /* of the ring */
    struct window_pane *before; /* owned: the newest pane without the newest value */
    bool wanted;                /* somebody reads it */
    bool restored;              /* and has had no new value since */
};

void window_init(struct window *window, enum expression_window kind, int64_t length_ms);
void window_free(struct window *window);

/* Takes a value that was read at `ts_ms`, from the last one's to `now_ms`. Returns 0 or
 * -ENOMEM. */
int window_add(struct window *window, double value, int64_t ts_ms, int64_t now_ms);

/* EXPRESSION_MEAN to EXPRESSION_EWMA; VALUE_NONE where it is unknown. How exact they are:
 *   mean, min, max, sum, count    over all values
 *   stddev    of the sample (n - 1), by Youngs and Cramer ("Some results relevant to choice of sum
 *             and sum-of-product algorithms", Technometrics 13(3), 1971)
 *   zscore    of the newest value against mean and stddev of those before it; unknown where these
 *             are fewer than two or all the same
 *   median    of the last value of each pane: exact for up to one value a pane, of more a sample
 *             of 64, whose rank is within 6 % of the middle two times in three
 *   ewma      each value weighs 1 - e^(-gap / length) */
struct value window_value(const struct window *window, enum expression_aspect aspect,
                          int64_t now_ms);

/* When that may change though no value comes; INT64_MAX where it cannot. */
int64_t window_change_ms(const struct window *window, int64_t now_ms);

/* What is kept over a restart, as words of a line with a space before each: of the panes, sums of
 * each group, which leaves with the oldest of its panes: so that a window then covers up to 1/8 of
 * its length less, however many restarts there are. */
void window_write(const struct window *window, struct buffer *out);

/* Takes that into a window that has had no value. Values that were read before what it knows are
 * then passed over: the broker says its last one again. Returns 0, -EBADMSG or -ENOMEM. */
int window_read(struct window *window, const char *line);

#endif
