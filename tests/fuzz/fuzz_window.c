/* Any values at any times as a window: no crash, what it gives is finite, and its parts agree. The
 * first bytes choose kind and length; then three bytes a value: wait, lateness, value. */
#include "fuzz.h"
#include "window.h"

#include <math.h>
#include <stdlib.h>

static double ask(const struct window *window, enum expression_aspect aspect, int64_t now_ms)
{
    struct value value = window_value(window, aspect, now_ms);
    if (value.type == VALUE_NONE)
        return NAN;
    if (value.type != VALUE_NUMBER || !isfinite(value.number))
        abort();
    return value.number;
}

static void check(const struct window *window, int64_t now_ms)
{
    double n = ask(window, EXPRESSION_COUNT, now_ms);
    double low = ask(window, EXPRESSION_MIN, now_ms), high = ask(window, EXPRESSION_MAX, now_ms);
    double median = ask(window, EXPRESSION_MEDIAN, now_ms);
    double mean = ask(window, EXPRESSION_MEAN, now_ms);
    double slack = 1e-9 * (fabs(low) + fabs(high));
    ask(window, EXPRESSION_ZSCORE, now_ms);
    if (n == 0) { /* the value came too late for it */
        if (!isnan(low) || !isnan(high) || !isnan(median) || !isnan(mean))
            abort();
        return;
    }
    if (n < 1 || median < low || median > high || ask(window, EXPRESSION_STDDEV, now_ms) < 0)
        abort();
    if (mean < low - slack || mean > high + slack)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t lengths[] = {10, 63, 64, 65, 1000, 60000, 3600000, INT64_C(2678400000)};
    static const double values[] = {0, 1, -1, 0.1, 1e308, -1e308, 5e-324, 1e15};
    struct window window;
    int64_t now_ms = INT64_C(1763805600000);
    if (size < 2)
        return 0;
    window_init(&window, data[0] & 1 ? EXPRESSION_EXPONENTIAL : EXPRESSION_SLIDING,
                lengths[data[1] % 8]);
    for (size_t i = 2; i + 3 <= size; i += 3) {
        now_ms += data[i] * window.length_ms / 64;
        int64_t ts_ms = now_ms - data[i + 1] * window.length_ms / 128;
        if (ts_ms < window.last_ms)
            ts_ms = window.last_ms;
        double value = data[i + 2] < 8 ? values[data[i + 2]] : data[i + 2];
        if (window_add(&window, value, ts_ms, now_ms) != 0)
            abort();
        if (window.kind == EXPRESSION_SLIDING)
            check(&window, now_ms);
        else
            ask(&window, EXPRESSION_EWMA, now_ms);
    }
    window_free(&window);
    return 0;
}
