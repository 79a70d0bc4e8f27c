#include "number.h"
#include "window.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances"
 * (Stanford, 1979). */
static void merge(struct window_pane *into, const struct window_pane *pane)
{
    double distance = pane->sum / pane->n - into->sum / into->n;
    double share = (double)into->n * pane->n / ((double)into->n + pane->n);
    into->squares += pane->squares + distance * distance * share;
    into->n += pane->n;
    into->sum += pane->sum;
    into->min = pane->min < into->min ? pane->min : into->min;
    into->max = pane->max > into->max ? pane->max : into->max;
    into->last = pane->last;
}

static unsigned summarise(const struct window *window, struct window_pane out[WINDOW_SUMMARIES])
{
    unsigned size = (window->n + WINDOW_SUMMARIES - 1) / WINDOW_SUMMARIES, n = 0;
    for (unsigned i = 0; i < window->n; i++) {
        const struct window_pane *pane =
            &window->panes[(window->first + i) & (window->capacity - 1u)];
        if (i % size == 0)
            out[n++] = *pane;
        else
            merge(&out[n - 1], pane);
    }
    return n;
}

static void write_number(struct buffer *out, double number)
{
    buffer_char(out, ' ');
    buffer_number(out, number);
}

void window_write(const struct window *window, struct buffer *out)
{
    struct window_pane panes[WINDOW_SUMMARIES];
    unsigned n = summarise(window, panes);
    buffer_format(out, "%" PRId64 " %" PRId64, window->since_ms, window->last_ms);
    write_number(out, window->last);
    write_number(out, window->average);
    for (unsigned i = 0; i < n; i++) {
        buffer_format(out, " %" PRId64 " %" PRIu32, panes[i].index, panes[i].n);
        write_number(out, panes[i].sum);
        write_number(out, panes[i].squares);
        write_number(out, panes[i].min);
        write_number(out, panes[i].max);
        write_number(out, panes[i].last);
    }
}

/* Reads all numbers of a line. Returns how many, 0 where one is none or there are too many. */
static size_t read_numbers(const char *line, double *out, size_t n_max)
{
    size_t n = 0;
    while (*line) {
        size_t length = strcspn(line, " ");
        if (n == n_max || number_parse(line, length, &out[n++]) < 0)
            return 0;
        line += length + (line[length] == ' ');
    }
    return n;
}

enum { HEAD = 4, PER_PANE = 7 };

static bool read_pane(struct window_pane *out, const double *in)
{
    if (!(in[0] >= 0 && in[0] < 1e17 && in[1] >= 1 && in[1] <= UINT32_MAX && in[3] >= 0))
        return false;
    *out = (struct window_pane){
        .index = (int64_t)in[0],
        .n = (uint32_t)in[1],
        .sum = in[2],
        .squares = in[3],
        .min = in[4],
        .max = in[5],
        .last = in[6],
    };
    return true;
}

/* The ring that holds exactly these; the next pane makes it grow. */
static int read_panes(struct window *window, const double *in, size_t n)
{
    struct window_pane *panes = calloc(WINDOW_SUMMARIES + 1, sizeof(*panes));
    if (!panes)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        if (!read_pane(&panes[i], in + i * PER_PANE) ||
            (i > 0 && panes[i].index <= panes[i - 1].index)) {
            free(panes);
            return -EBADMSG;
        }
    }
    panes[WINDOW_SUMMARIES] = panes[n - 1];
    window->panes = panes;
    window->before = &panes[WINDOW_SUMMARIES];
    window->capacity = WINDOW_SUMMARIES;
    window->n = (uint8_t)n;
    return 0;
}

int window_read(struct window *window, const char *line)
{
    double in[HEAD + WINDOW_SUMMARIES * PER_PANE];
    size_t n = read_numbers(line, in, sizeof(in) / sizeof(in[0]));
    if (n < HEAD || (n - HEAD) % PER_PANE != 0 || !(in[0] > 0 && in[0] <= in[1] && in[1] < 1e15))
        return -EBADMSG;
    size_t n_panes = (n - HEAD) / PER_PANE;
    if ((n_panes > 0) != (window->kind == EXPRESSION_SLIDING))
        return -EBADMSG;
    int error = n_panes > 0 ? read_panes(window, in + HEAD, n_panes) : 0;
    if (error)
        return error;
    window->since_ms = (int64_t)in[0];
    window->last_ms = (int64_t)in[1];
    window->last = in[2];
    window->average = in[3];
    window->restored = true;
    return 0;
}
