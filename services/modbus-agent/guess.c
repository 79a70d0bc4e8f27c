#include "guess.h"

#include "likelihood.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define PASSES 3
#define CONFIDENCE 6.0 /* so many values of a unit weigh as much as what is usual in the field */

#define OTHER 0.05 /* how common a register is that is no value, or of none of the kinds below */

/* How common each is in the field: how many of all values. Estimated from register maps. */
static const struct kind {
    enum data_type type;
    bool high_byte;
    double share;
} kinds[] = {
    {DATA_UINT16, false, 0.28},  {DATA_INT16, false, 0.16},    {DATA_FLOAT32, false, 0.2},
    {DATA_UINT32, false, 0.12},  {DATA_INT32, false, 0.06},    {DATA_FLOAT64, false, 0.02},
    {DATA_UINT64, false, 0.005}, {DATA_INT64, false, 0.003},   {DATA_BCD16, false, 0.02},
    {DATA_BCD32, false, 0.01},   {DATA_FLOAT16, false, 0.005}, {DATA_UINT8, false, 0.0003},
    {DATA_UINT8, true, 0.0003},  {DATA_INT8, false, 0.0001},   {DATA_INT8, true, 0.0001},
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

static const struct order {
    bool swap_words;
    bool swap_bytes;
    double share;
} orders[] = {{false, false, 0.6}, {true, false, 0.3}, {false, true, 0.05}, {true, true, 0.05}};
#define N_ORDERS (sizeof orders / sizeof orders[0])

/* How common each kind is in the unit at hand. */
struct shares {
    double kinds[N_KINDS];
    double other;
};

/* What is so of one order: the logarithms of how likely what lies before and behind each cell is,
 * over all the ways to divide it up. */
struct sweep {
    double *before; /* owned; n + 1 of all runs, one behind the other */
    double *behind; /* owned */
    double share;   /* of the order, after all was seen */
};

/* All that is computed of one unit's registers. */
struct model {
    const struct guess_run *runs; /* borrowed */
    size_t n_runs;
    struct shares shares;
    struct sweep sweeps[N_ORDERS];
};

static double add_log2(double a, double b)
{
    double most = fmax(a, b);

    return most == -INFINITY ? most : most + log2(exp2(a - most) + exp2(b - most));
}

static bool has_order(enum data_type type)
{
    return type != DATA_UINT8 && type != DATA_INT8;
}

static struct encoding encoding_of(const struct kind *kind, const struct order *order)
{
    struct encoding encoding = {.type = kind->type, .high_byte = kind->high_byte};

    encoding.swap_bytes = has_order(kind->type) && order->swap_bytes;
    encoding.swap_words = encoding_cells(&encoding) > 1 && order->swap_words;
    return encoding;
}

/* Of a value of that kind beginning there; -INFINITY where it would not end within the run. */
static double value_log2(const struct shares *shares, size_t kind, const struct order *order,
                         const struct guess_run *run, size_t at)
{
    struct encoding encoding = encoding_of(&kinds[kind], order);

    if (at + encoding_cells(&encoding) > run->n)
        return -INFINITY;
    return log2(shares->kinds[kind]) + likelihood_log2(&encoding, run->cells + at);
}

static double other_log2(const struct shares *shares, uint16_t cell)
{
    return log2(shares->other) + likelihood_other_log2(cell);
}

static size_t cells_of(size_t kind)
{
    const struct encoding encoding = {.type = kinds[kind].type};

    return encoding_cells(&encoding);
}

static void sweep_forth(double *before, const struct guess_run *run, const struct shares *shares,
                        const struct order *order)
{
    before[0] = 0;
    for (size_t i = 1; i <= run->n; i++)
        before[i] = -INFINITY;
    for (size_t i = 0; i < run->n; i++) {
        before[i + 1] = add_log2(before[i + 1], before[i] + other_log2(shares, run->cells[i]));
        for (size_t k = 0; k < N_KINDS; k++) {
            double value = value_log2(shares, k, order, run, i);

            if (value > -INFINITY)
                before[i + cells_of(k)] = add_log2(before[i + cells_of(k)], before[i] + value);
        }
    }
}

static void sweep_back(double *behind, const struct guess_run *run, const struct shares *shares,
                       const struct order *order)
{
    behind[run->n] = 0;
    for (size_t i = run->n; i-- > 0;) {
        behind[i] = behind[i + 1] + other_log2(shares, run->cells[i]);
        for (size_t k = 0; k < N_KINDS; k++) {
            double value = value_log2(shares, k, order, run, i);

            if (value > -INFINITY)
                behind[i] = add_log2(behind[i], behind[i + cells_of(k)] + value);
        }
    }
}

/* Sweeps over all runs in every order. */
static void sweep_all(struct model *model)
{
    double all = -INFINITY;

    for (size_t o = 0; o < N_ORDERS; o++) {
        struct sweep *sweep = &model->sweeps[o];
        size_t at = 0;

        sweep->share = log2(orders[o].share);
        for (size_t r = 0; r < model->n_runs; at += model->runs[r++].n + 1) {
            sweep_forth(sweep->before + at, &model->runs[r], &model->shares, &orders[o]);
            sweep_back(sweep->behind + at, &model->runs[r], &model->shares, &orders[o]);
            sweep->share += sweep->before[at + model->runs[r].n];
        }
        all = add_log2(all, sweep->share);
    }
    for (size_t o = 0; o < N_ORDERS; o++)
        model->sweeps[o].share = exp2(model->sweeps[o].share - all);
}

/* How plausible a value is at `place`, in one order; `first` is the run's place in the sweeps. */
static double plausibility(const struct model *model, size_t kind, size_t order, size_t first,
                           const struct guess *place)
{
    const struct guess_run *run = &model->runs[place->run];
    const struct sweep *sweep = &model->sweeps[order];
    double value = value_log2(&model->shares, kind, &orders[order], run, place->at);

    if (value == -INFINITY)
        return 0;
    return sweep->share *
           exp2(sweep->before[first + place->at] + value +
                sweep->behind[first + place->at + cells_of(kind)] - sweep->before[first + run->n]);
}

/* How many values of each kind the sweeps see, and how many registers that are none. */
static void count(const struct model *model, struct shares *out)
{
    size_t first = 0;

    *out = (struct shares){0};
    for (size_t r = 0; r < model->n_runs; first += model->runs[r++].n + 1)
        for (size_t i = 0; i < model->runs[r].n * N_KINDS * N_ORDERS; i++) {
            const struct guess place = {.run = r, .at = i / (N_KINDS * N_ORDERS)};
            size_t k = i / N_ORDERS % N_KINDS;

            out->kinds[k] += plausibility(model, k, i % N_ORDERS, first, &place);
        }
    for (size_t r = 0; r < model->n_runs; r++)
        out->other += (double)model->runs[r].n;
    for (size_t k = 0; k < N_KINDS; k++)
        out->other -= out->kinds[k] * (double)cells_of(k);
}

/* A unit has few kinds of values: what it has many of is likelier elsewhere in it too. */
static void learn(struct model *model)
{
    struct shares shares;
    double all;

    count(model, &shares);
    shares.other = fmax(shares.other, 0) + OTHER * CONFIDENCE;
    all = shares.other;
    for (size_t k = 0; k < N_KINDS; k++) {
        shares.kinds[k] += kinds[k].share * CONFIDENCE;
        all += shares.kinds[k];
    }
    shares.other /= all;
    for (size_t k = 0; k < N_KINDS; k++)
        shares.kinds[k] /= all;
    model->shares = shares;
}

/* Returns 0 or -ENOMEM. */
static int open_model(struct model *out, const struct guess_run *runs, size_t n_runs)
{
    size_t size = 1;

    *out = (struct model){.runs = runs, .n_runs = n_runs, .shares.other = OTHER};
    for (size_t k = 0; k < N_KINDS; k++)
        out->shares.kinds[k] = kinds[k].share;
    for (size_t r = 0; r < n_runs; r++)
        size += runs[r].n + 1;
    for (size_t o = 0; o < N_ORDERS; o++) {
        out->sweeps[o].before = calloc(size, sizeof(double));
        out->sweeps[o].behind = calloc(size, sizeof(double));
        if (!out->sweeps[o].before || !out->sweeps[o].behind)
            return -ENOMEM;
    }
    return 0;
}

static void close_model(struct model *model)
{
    for (size_t o = 0; o < N_ORDERS; o++) {
        free(model->sweeps[o].before);
        free(model->sweeps[o].behind);
    }
}

static bool same_encoding(const struct encoding *a, const struct encoding *b)
{
    return a->type == b->type && a->swap_words == b->swap_words && a->swap_bytes == b->swap_bytes &&
           a->high_byte == b->high_byte;
}

/* Adds what is known of one value in one order; orders that do not differ for it come together. */
static void add(struct guesses *out, size_t first_here, const struct guess *found)
{
    for (size_t i = first_here; i < out->n; i++)
        if (same_encoding(&out->items[i].encoding, &found->encoding)) {
            out->items[i].plausibility += found->plausibility;
            return;
        }
    out->items[out->n++] = *found;
}

static int by_plausibility(const void *left, const void *right)
{
    const struct guess *a = left;
    const struct guess *b = right;

    return (a->plausibility < b->plausibility) - (a->plausibility > b->plausibility);
}

/* All values that may begin at one place; `first` as above. */
static void guess_place(struct guesses *out, const struct model *model, size_t first,
                        const struct guess *place)
{
    const struct guess_run *run = &model->runs[place->run];
    size_t first_here = out->n;
    char text[DECODE_TEXT_SIZE];

    for (size_t k = 0; k < N_KINDS; k++)
        for (size_t o = 0; o < N_ORDERS; o++) {
            struct guess found = *place;

            if (place->at + cells_of(k) > run->n)
                continue;
            found.encoding = encoding_of(&kinds[k], &orders[o]);
            found.number = decode(&found.encoding, run->cells + place->at, text).number;
            found.plausibility = plausibility(model, k, o, first, place);
            add(out, first_here, &found);
        }
    qsort(out->items + first_here, out->n - first_here, sizeof *out->items, by_plausibility);
}

static int guess_all(struct guesses *out, struct model *model)
{
    size_t n_cells = 0;
    size_t first = 0;

    for (size_t r = 0; r < model->n_runs; r++)
        n_cells += model->runs[r].n;
    out->items = calloc(n_cells * N_KINDS * N_ORDERS + 1, sizeof *out->items);
    if (!out->items)
        return -ENOMEM;
    sweep_all(model);
    for (int i = 1; i < PASSES; i++) {
        learn(model);
        sweep_all(model);
    }
    for (size_t r = 0; r < model->n_runs; first += model->runs[r++].n + 1)
        for (size_t i = 0; i < model->runs[r].n; i++)
            guess_place(out, model, first, &(struct guess){.run = r, .at = i});
    return 0;
}

int guess(struct guesses *out, const struct guess_run *runs, size_t n_runs)
{
    struct model model;
    int rc = open_model(&model, runs, n_runs);

    *out = (struct guesses){0};
    if (rc == 0)
        rc = guess_all(out, &model);
    close_model(&model);
    return rc;
}

void guess_free(struct guesses *guesses)
{
    free(guesses->items);
    *guesses = (struct guesses){0};
}

const char *guess_order(const struct encoding *encoding)
{
    if (!has_order(encoding->type))
        return NULL;
    if (encoding_cells(encoding) == 1)
        return encoding->swap_bytes ? "BA" : "AB";
    if (encoding->swap_words)
        return encoding->swap_bytes ? "DCBA" : "CDAB";
    return encoding->swap_bytes ? "BADC" : "ABCD";
}
