/* Where two replays of one capture decide otherwise: lines as replay_run() gives them, in the order
 * of their times. Pure. */
#ifndef DECISION_DIFF_H
#define DECISION_DIFF_H

#include <stdbool.h>
#include <stdio.h>

/* Prints with '-' what only `ours` decides and with '+' what only `theirs` does. Within a moment
 * the order does not count, and nowhere do the numbers of episodes, readings and commands. Returns
 * whether they differ. */
bool decision_diff(const char *ours, const char *theirs, FILE *out);

#endif
