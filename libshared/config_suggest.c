#include "config_suggest.h"

#include <limits.h>
#include <string.h>

#define WORD_MAX 64

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned config_edit_distance(const char *a, const char *b)
{
    size_t rows = strnlen(a, WORD_MAX + 1);
    size_t columns = strnlen(b, WORD_MAX + 1);
    if (rows > WORD_MAX || columns > WORD_MAX)
        return UINT_MAX;
    /* cost[i % 3][j] is the distance between the first i bytes of a and the first j of b. */
    unsigned cost[3][WORD_MAX + 1];
    for (size_t j = 0; j <= columns; j++)
        cost[0][j] = (unsigned)j;
    for (size_t i = 1; i <= rows; i++) {
        unsigned *row = cost[i % 3];
        const unsigned *above = cost[(i - 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= columns; j++) {
            unsigned replaced = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(replaced, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], cost[(i - 2) % 3][j - 2] + 1);
        }
    }
    return cost[rows % 3][columns];
}

bool config_likely_slip(const char *word, unsigned distance)
{
    size_t allowed = strlen(word) / 3;
    return distance <= (allowed > 1 ? allowed : 1);
}
