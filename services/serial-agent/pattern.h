/* Regular expressions over lines, as PCRE2 has them (pcre2pattern(3)), in UTF-8. Time and memory of
 * a match are bounded: one that would take more counts as none. The only file that knows PCRE2. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern;

/* Returns 0, -ENOMEM, or -EINVAL with a sentence in `error` that says what and where. */
int pattern_open(struct pattern **out, const char *text, char *error, size_t error_size);
void pattern_close(struct pattern *pattern); /* takes NULL */

/* The group that is called so: 1 or more; -ENOENT where there is none. */
int pattern_group(const struct pattern *pattern, const char *name);

/* Whether it is found in the line; `^` and `$` tie it to the line's ends. */
bool pattern_match(struct pattern *pattern, const char *line);

/* What a group held in the last match, which was one: its length, with `at` in that line; -ENOENT
 * where it took no part. */
long pattern_capture(const struct pattern *pattern, unsigned group, const char **at);

uint64_t
pattern_given_up(const struct pattern *pattern); /* matches that would have taken too long */

#endif
