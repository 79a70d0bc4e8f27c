#include "guess.h"

/* How common it is that a device says so many times the quantity, of whole numbers and of floats.
 */
static const double divisors[] = {1, 10, 100, 1000};
#define N_DIVISORS (sizeof divisors / sizeof divisors[0])
static const double divisor_shares_whole[N_DIVISORS] = {0.4, 0.35, 0.15, 0.1};
static const double divisor_shares_float[N_DIVISORS] = {0.9, 0.02, 0.02, 0.06};

/* Puts a pick into its place among the best, where it is one of them. */
static size_t insert(struct guess_pick *out, size_t n, size_t max, const struct guess_pick *pick)
{
    size_t at = n;

    while (at > 0 && out[at - 1].plausibility < pick->plausibility)
        at--;
    if (at == max)
        return n;
    n += n < max;
    for (size_t i = n - 1; i > at; i--)
        out[i] = out[i - 1];
    out[at] = *pick;
    return n;
}

size_t guess_pick(struct guess_pick *out, size_t max, const struct guesses *guesses,
                  const struct expectation *expected)
{
    double all = 0;
    size_t n = 0;

    for (size_t i = 0; i < guesses->n; i++) {
        const struct guess *found = &guesses->items[i];
        bool whole = found->encoding.type < DATA_FLOAT16;
        const double *shares = whole ? divisor_shares_whole : divisor_shares_float;

        for (size_t d = 0; d < N_DIVISORS; d++) {
            struct guess_pick pick = {found, divisors[d], found->plausibility * shares[d]};

            pick.plausibility *= expect_weight(expected, found->number / divisors[d]);
            if (pick.plausibility == 0)
                continue;
            all += pick.plausibility;
            n = insert(out, n, max, &pick);
        }
    }
    for (size_t i = 0; i < n && all > 0; i++)
        out[i].plausibility /= all;
    return n;
}
