/* How two texts differ, by lines. Pure. */
#ifndef LINE_DIFF_H
#define LINE_DIFF_H

#include <stdbool.h>
#include <stdio.h>

/* Prints from the first line in which the texts differ to the last, with '-' the expected and '+'
 * the actual ones, two lines of context before. Returns whether they differ. */
bool line_diff(const char *expected, const char *actual, FILE *out);

#endif
