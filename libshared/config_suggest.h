/* "Did you mean": how far one word is from another. Pure. */
#ifndef CONFIG_SUGGEST_H
#define CONFIG_SUGGEST_H

#include <stdbool.h>

/* Insertions, deletions, replacements and swaps of neighbours that make one word of the other
 * (optimal string alignment, a form of Damerau's distance: CACM 7(3), 1964). Words longer than 64
 * bytes are as far as can be: UINT_MAX. */
unsigned config_edit_distance(const char *a, const char *b);

/* Whether `word` is likely to be a slip for a key that is `distance` away. */
bool config_likely_slip(const char *word, unsigned distance);

#endif
