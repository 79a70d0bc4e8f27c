#include "window.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

void window_init(struct window *window, enum expression_window kind, int64_t length_ms)
{
    *window = (struct window){
        .kind = kind,
        .length_ms = length_ms,
    };
}

void window_free(struct window *window)
{
    free(window->panes);
    window->panes = NULL;
}

static struct window_pane *pane(const struct window *window, size_t i)
{
    return &window->panes[(window->first + i) & (window->capacity - 1u)];
}

/* Of the pane that a moment is in, among all since 1970. */
static int64_t pane_index(const struct window *window, int64_t ms)
{
    return ms * WINDOW_PANES / window->length_ms;
}

/* How many panes at the ring's beginning are out of the window by now. */
static unsigned n_expired(const struct window *window, int64_t now_ms)
{
    int64_t oldest = pane_index(window, now_ms) - WINDOW_PANES + 1;
    unsigned n = 0;
    while (n < window->n && pane(window, n)->index < oldest)
        n++;
    return n;
}

/* Twice the ring, unrolled. One more than WINDOW_PANES: the last is window->before. */
static int grow(struct window *window)
{
    unsigned capacity = window->capacity ? 2u * window->capacity : 4;
    struct window_pane *panes = malloc((capacity + 1) * sizeof(*panes));
    if (!panes)
        return -ENOMEM;
    for (unsigned i = 0; i < window->n; i++)
        panes[i] = *pane(window, i);
    if (window->before)
        panes[capacity] = *window->before;
    free(window->panes);
    window->panes = panes;
    window->before = &panes[capacity];
    window->capacity = (uint8_t)capacity;
    window->first = 0;
    return 0;
}

static void pane_add(struct window_pane *pane, double value)
{
    pane->n++;
    pane->sum += value;
    if (pane->n > 1) {
        double distance = pane->n * value - pane->sum;
        pane->squares += distance * distance / ((double)pane->n * (pane->n - 1));
    }
    pane->min = pane->n == 1 || value < pane->min ? value : pane->min;
    pane->max = pane->n == 1 || value > pane->max ? value : pane->max;
    pane->last = value;
}

static void drop(struct window *window, unsigned n)
{
    window->first = (uint8_t)(window->first + n);
    window->n = (uint8_t)(window->n - n);
}

static int slide(struct window *window, double value, int64_t ts_ms, int64_t now_ms)
{
    int64_t index = pane_index(window, ts_ms);
    drop(window, n_expired(window, now_ms));
    if (window->n == 0 || pane(window, window->n - 1u)->index < index) {
        if (window->n == WINDOW_PANES)
            drop(window, 1); /* the clock was set back: now_ms says less than the panes */
        if (window->n == window->capacity && grow(window) < 0)
            return -ENOMEM;
        *pane(window, window->n++) = (struct window_pane){.index = index};
    }
    struct window_pane *newest = pane(window, window->n - 1u);
    *window->before = *newest;
    pane_add(newest, value);
    return 0;
}

static void average(struct window *window, double value, int64_t gap_ms)
{
    double share = -expm1(-(double)gap_ms / (double)window->length_ms);
    window->average += share * (value - window->average);
}

int window_add(struct window *window, double value, int64_t ts_ms, int64_t now_ms)
{
    if (window->restored && ts_ms <= window->last_ms)
        return 0;
    window->restored = false;
    int64_t gap_ms = ts_ms - window->last_ms;
    if (window->last_ms == 0 || gap_ms > window->length_ms) {
        window->since_ms = ts_ms;
        window->average = value;
    }
    if (window->kind == EXPRESSION_EXPONENTIAL)
        average(window, value, gap_ms);
    else if (slide(window, value, ts_ms, now_ms) < 0)
        return -ENOMEM;
    window->last = value;
    window->last_ms = ts_ms;
    return 0;
}

/* Some panes of a ring, and what stands in the place of the newest. */
struct view {
    const struct window *window;
    unsigned first;
    const struct window_pane *newest;
};

static const struct window_pane *at(const struct view *view, unsigned i)
{
    return i == view->window->n - 1u ? view->newest : pane(view->window, i);
}

struct totals {
    double n, sum, min, max;
};

static struct totals add_up(const struct view *view)
{
    struct totals totals = {.min = INFINITY, .max = -INFINITY};
    for (unsigned i = view->first; i < view->window->n; i++) {
        const struct window_pane *pane = at(view, i);
        if (pane->n == 0)
            continue;
        totals.n += pane->n;
        totals.sum += pane->sum;
        totals.min = pane->min < totals.min ? pane->min : totals.min;
        totals.max = pane->max > totals.max ? pane->max : totals.max;
    }
    return totals;
}

/* Not a number where there are fewer than two values. */
static double deviation(const struct view *view, const struct totals *totals)
{
    double squares = 0;
    for (unsigned i = view->first; i < view->window->n; i++) {
        const struct window_pane *pane = at(view, i);
        if (pane->n == 0)
            continue;
        double distance = pane->sum / pane->n - totals->sum / totals->n;
        squares += pane->squares + pane->n * distance * distance;
    }
    return totals->n > 1 ? sqrt(squares / (totals->n - 1)) : NAN;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const struct view *view)
{
    double values[WINDOW_PANES];
    unsigned n = 0;
    for (unsigned i = view->first; i < view->window->n && n < WINDOW_PANES; i++)
        values[n++] = at(view, i)->last;
    qsort(values, n, sizeof(values[0]), compare);
    double low = values[(n - 1) / 2], high = values[n / 2];
    return low == high ? low : low / 2 + high / 2; /* halves: their sum may not fit */
}

/* Not a number where all before are the same: nothing says how far is far. */
static double zscore(struct view view)
{
    view.newest = view.window->before;
    struct totals totals = add_up(&view);
    double spread = deviation(&view, &totals);
    return spread > 0 ? (view.window->last - totals.sum / totals.n) / spread : NAN;
}

static double of_view(const struct view *view, enum expression_aspect aspect)
{
    struct totals totals = add_up(view);
    switch (aspect) {
    case EXPRESSION_MEAN:
        return totals.sum / totals.n;
    case EXPRESSION_MIN:
        return totals.min;
    case EXPRESSION_MAX:
        return totals.max;
    case EXPRESSION_SUM:
        return totals.sum;
    case EXPRESSION_COUNT:
        return totals.n;
    case EXPRESSION_STDDEV:
        return deviation(view, &totals);
    case EXPRESSION_MEDIAN:
        return median(view);
    case EXPRESSION_ZSCORE:
        return zscore(*view);
    default:
        return NAN;
    }
}

struct value window_value(const struct window *window, enum expression_aspect aspect,
                          int64_t now_ms)
{
    struct value unknown = {.type = VALUE_NONE};
    if (window->last_ms == 0 || now_ms - window->since_ms < window->length_ms)
        return unknown;
    double number = window->average;
    if (window->kind == EXPRESSION_SLIDING) {
        struct view view = {.window = window, .first = n_expired(window, now_ms)};
        if (view.first == window->n)
            return aspect == EXPRESSION_COUNT ? value_number(0) : unknown;
        view.newest = pane(window, window->n - 1u);
        number = of_view(&view, aspect);
    }
    return isfinite(number) ? value_number(number) : unknown;
}

int64_t window_change_ms(const struct window *window, int64_t now_ms)
{
    if (window->last_ms == 0)
        return INT64_MAX;
    if (now_ms - window->since_ms < window->length_ms)
        return window->since_ms + window->length_ms;
    unsigned expired = window->kind == EXPRESSION_SLIDING ? n_expired(window, now_ms) : window->n;
    if (expired == window->n)
        return INT64_MAX;
    int64_t last = pane(window, expired)->index + WINDOW_PANES; /* the first in which it is out */
    return (last * window->length_ms + WINDOW_PANES - 1) / WINDOW_PANES;
}
