#include "window.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORD_SIZE 17                        /* a space and 16 digits */
#define TIME_MAX UINT64_C(1000000000000000) /* ms: the year 33658 */
#define INDEX_MAX (64 * TIME_MAX)

enum { HEAD = 4, PER_PANE = 7 }; /* words */

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

static int64_t group(const struct window_pane *pane)
{
    return pane->index / WINDOW_GROUP;
}

/* By their time, not by their number: what was summarised before, at an earlier restart, stays as
 * it is. */
static unsigned summarise(const struct window *window, struct window_pane out[WINDOW_SUMMARIES])
{
    unsigned n = 0;
    for (unsigned i = 0; i < window->n; i++) {
        const struct window_pane *pane =
            &window->panes[(window->first + i) & (window->capacity - 1u)];
        if (n > 0 && (n == WINDOW_SUMMARIES || group(&out[n - 1]) == group(pane)))
            merge(&out[n - 1], pane);
        else
            out[n++] = *pane;
    }
    return n;
}

/* All numbers as 16 hexadecimal digits, doubles by their bits: exact, and far faster than decimals.
 */
static void write_word(struct buffer *out, uint64_t word)
{
    char text[WORD_SIZE] = {' '};
    for (int i = WORD_SIZE - 1; i > 0; i--, word >>= 4)
        text[i] = "0123456789abcdef"[word & 15];
    buffer_append(out, text, sizeof(text));
}

static void write_double(struct buffer *out, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof(bits));
    write_word(out, bits);
}

void window_write(const struct window *window, struct buffer *out)
{
    struct window_pane panes[WINDOW_SUMMARIES];
    unsigned n = summarise(window, panes);
    write_word(out, (uint64_t)window->since_ms);
    write_word(out, (uint64_t)window->last_ms);
    write_double(out, window->last);
    write_double(out, window->average);
    for (unsigned i = 0; i < n; i++) {
        write_word(out, (uint64_t)panes[i].index);
        write_word(out, panes[i].n);
        write_double(out, panes[i].sum);
        write_double(out, panes[i].squares);
        write_double(out, panes[i].min);
        write_double(out, panes[i].max);
        write_double(out, panes[i].last);
    }
}

/* Reads all words of a line. Returns how many, 0 where one is none or there are too many. */
static size_t read_words(const char *line, uint64_t *out, size_t n_max)
{
    size_t n = 0;
    for (; *line; line += WORD_SIZE, n++) {
        if (n == n_max || *line != ' ' || strspn(line + 1, "0123456789abcdef") < WORD_SIZE - 1)
            return 0;
        char text[WORD_SIZE] = {0};
        memcpy(text, line + 1, WORD_SIZE - 1);
        out[n] = strtoull(text, NULL, 16);
    }
    return n;
}

/* NaN, which no comparison takes, for what is not finite. */
static double as_double(uint64_t word)
{
    double number;
    memcpy(&number, &word, sizeof(number));
    return isfinite(number) ? number : NAN;
}

static bool read_pane(struct window_pane *out, const uint64_t *in)
{
    if (in[0] > INDEX_MAX || in[1] == 0 || in[1] > UINT32_MAX)
        return false;
    *out = (struct window_pane){
        .index = (int64_t)in[0],
        .n = (uint32_t)in[1],
        .sum = as_double(in[2]),
        .squares = as_double(in[3]),
        .min = as_double(in[4]),
        .max = as_double(in[5]),
        .last = as_double(in[6]),
    };
    return out->squares >= 0 && out->min <= out->max && !isnan(out->last);
}

/* The ring that holds exactly these; the next pane makes it grow. */
static int read_panes(struct window *window, const uint64_t *in, size_t n)
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
    uint64_t in[HEAD + WINDOW_SUMMARIES * PER_PANE];
    size_t n = read_words(line, in, sizeof(in) / sizeof(in[0]));
    if (n < HEAD || (n - HEAD) % PER_PANE != 0 || in[0] == 0 || in[0] > in[1] || in[1] > TIME_MAX)
        return -EBADMSG;
    size_t n_panes = (n - HEAD) / PER_PANE;
    if ((n_panes > 0) != (window->kind == EXPRESSION_SLIDING))
        return -EBADMSG;
    int error = n_panes > 0 ? read_panes(window, in + HEAD, n_panes) : 0;
    if (error)
        return error;
    window->since_ms = (int64_t)in[0];
    window->last_ms = (int64_t)in[1];
    window->last = as_double(in[2]);
    window->average = as_double(in[3]);
    window->restored = true;
    return 0;
}
