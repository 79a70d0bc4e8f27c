/* Expressions: what a rule asks and what a derived value computes. Compiled once to a compact
 * program, then evaluated as often as wanted, without allocation. Pure.
 *
 *   temperature > 28 and not fan
 *   units_produced / runtime_hours                    fields of the selected device and measurement
 *   state.jam                                         another measurement of the selected device,
 * or greenhouse_001.temperature                        a device, where the selected one has no such
 *                                                     measurement; location and measurement its own
 *   greenhouse_001.sensors.temperature                a device of the same location
 *   facility_a.greenhouse_001.sensors.temperature     any device
 *   `odd-name` > 3                                    a name that is not letters, digits and _
 *   temperature in 20..28, mode in ["auto", "eco"]    a closed range, a list
 *   age(temperature) > 30s                            times are seconds: ms s m h d w
 *   abs(level - previous(level)) > 5, rate(level)     the value before; the change a second
 *   mean(level, 10m)                                  of its last ten minutes, and so min max sum
 *                                                     count stddev median; true is 1, false is 0
 *   ewma(level, 5m)                                   moving average, weights fall to 1/e in 5 min
 *   zscore(level, 1h) > 3                             standard deviations from the mean before it
 *   min(level, 3), max(a, b, c), abs(a), round(a)     of numbers; min(level, 3s) is a window
 *   jam ? 0 : line_speed                              the same as if(jam, 0, line_speed)
 *
 * From weakest to strongest: ?:  or  and  not  comparison and in  + -  * / %  minus sign.
 *
 * Three-valued (Kleene's strong logic; S. C. Kleene, "Introduction to Metamathematics", § 64): what
 * is missing, bad or stale is unknown, and so is what is computed from it, a division by zero, a
 * number that overflows, and an operation on values of the wrong type. `false and unknown` is
 * false, `true or unknown` is true. How windows count is said at services/rules-engine/window.h. */
#ifndef EXPRESSION_H
#define EXPRESSION_H

#include "topic.h"
#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPRESSION_SIZE_MAX 4096     /* bytes of text */
#define EXPRESSION_CODE_MAX 1024     /* instructions */
#define EXPRESSION_DEPTH_MAX 48      /* parentheses within parentheses, and values on the stack */
#define EXPRESSION_REFERENCES_MAX 64 /* different fields and windows that one table holds */
#define EXPRESSION_WINDOW_MIN_MS 10
#define EXPRESSION_WINDOW_MAX_MS (INT64_C(31) * 24 * 3600 * 1000)

enum expression_window {
    EXPRESSION_NO_WINDOW,
    EXPRESSION_SLIDING,    /* the values of the last `window_ms` */
    EXPRESSION_EXPONENTIAL /* all values, with weights that fall to 1/e in `window_ms` */
};

/* A field that is read, or a window of its values. An empty part is the selected device's own. */
struct expression_reference {
    char location[TOPIC_NAME_SIZE];
    char device[TOPIC_NAME_SIZE];
    char measurement[TOPIC_NAME_SIZE];
    char field[TOPIC_NAME_SIZE];
    enum expression_window window;
    int64_t window_ms;
};

/* The fields that several expressions read together, each once. Starts as `= {0}`. */
struct expression_references {
    struct expression_reference *items; /* owned array */
    size_t n;
};
void expression_references_free(struct expression_references *references);

struct expression_error {
    unsigned line, column; /* in bytes, from 1 */
    char text[224];        /* what was expected and what was found */
};

enum expression_type { EXPRESSION_ANY, EXPRESSION_BOOL, EXPRESSION_NUMBER, EXPRESSION_TEXT };

struct expression;

/* `text` needs no NUL. What it reads is added to `references`, also where it fails. `expected` is
 * the type that the whole must have, EXPRESSION_ANY where all will do. Returns 0; -EINVAL with
 * `error` filled; -ENOMEM. */
int expression_compile(struct expression **out, const char *text, size_t size,
                       enum expression_type expected, struct expression_references *references,
                       struct expression_error *error);
void expression_close(struct expression *expression);

/* What it was compiled from; borrowed. */
const char *expression_text(const struct expression *expression);

/* Whether its value can change without a new reading, because time passes: age(). */
bool expression_reads_clock(const struct expression *expression);

/* Whether it reads what a single reading does not tell: previous(), rate(), windows. */
bool expression_reads_past(const struct expression *expression);

/* The reference that is read first, or -1 where none is. */
int expression_first_reference(const struct expression *expression);

/* Gives one aspect of references->items[reference]; VALUE_NONE where it is unknown. From
 * EXPRESSION_MEAN on they are asked of windows only. Texts must live until the value that
 * expression_evaluate() gives is done with. */
enum expression_aspect {
    EXPRESSION_CURRENT,
    EXPRESSION_PREVIOUS,
    EXPRESSION_AGE,  /* seconds */
    EXPRESSION_RATE, /* a second */
    EXPRESSION_MEAN,
    EXPRESSION_MIN,
    EXPRESSION_MAX,
    EXPRESSION_SUM,
    EXPRESSION_COUNT,
    EXPRESSION_STDDEV,
    EXPRESSION_MEDIAN,
    EXPRESSION_ZSCORE,
    EXPRESSION_EWMA
};
typedef struct value expression_read_fn(void *self, enum expression_aspect aspect,
                                        size_t reference);

/* Borrowed from the expression or from `read`. VALUE_NONE is unknown. */
struct value expression_evaluate(const struct expression *expression, expression_read_fn *read,
                                 void *self);

#endif
