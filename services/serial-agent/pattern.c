#include "pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough for any sane pattern on a line of 4 KiB; the worst one is stopped within some
 * milliseconds. */
#define STEPS_MAX 200000
#define HEAP_MAX_KIB 256

struct pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *limits;
    const char *line; /* of the last match; borrowed */
    uint64_t given_up;
};

void pattern_close(struct pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_match_context_free(pattern->limits);
    pcre2_match_data_free(pattern->data);
    pcre2_code_free(pattern->code);
    free(pattern);
}

static int compile(struct pattern *pattern, const char *text, char *error, size_t error_size)
{
    PCRE2_UCHAR reason[128];
    PCRE2_SIZE at;
    int code;

    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
                      PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY, &code, &at, NULL);
    if (pattern->code)
        return 0;
    pcre2_get_error_message(code, reason, sizeof reason);
    snprintf(error, error_size, "%s, at character %zu", (const char *)reason, (size_t)at);
    return -EINVAL;
}

int pattern_open(struct pattern **out, const char *text, char *error, size_t error_size)
{
    struct pattern *pattern = calloc(1, sizeof *pattern);
    int problem = pattern ? compile(pattern, text, error, error_size) : -ENOMEM;

    if (problem == 0) {
        pattern->data = pcre2_match_data_create_from_pattern(pattern->code, NULL);
        pattern->limits = pcre2_match_context_create(NULL);
        problem = pattern->data && pattern->limits ? 0 : -ENOMEM;
    }
    if (problem) {
        pattern_close(pattern);
        return problem;
    }
    pcre2_set_match_limit(pattern->limits, STEPS_MAX);
    pcre2_set_heap_limit(pattern->limits, HEAP_MAX_KIB);
    *out = pattern;
    return 0;
}

int pattern_group(const struct pattern *pattern, const char *name)
{
    int number = pcre2_substring_number_from_name(pattern->code, (PCRE2_SPTR)name);

    return number > 0 ? number : -ENOENT;
}

bool pattern_match(struct pattern *pattern, const char *line)
{
    int n = pcre2_match(pattern->code, (PCRE2_SPTR)line, strlen(line), 0, 0, pattern->data,
                        pattern->limits);

    pattern->line = line;
    pattern->given_up +=
        n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_HEAPLIMIT || n == PCRE2_ERROR_DEPTHLIMIT;
    return n >= 0;
}

long pattern_capture(const struct pattern *pattern, unsigned group, const char **at)
{
    const PCRE2_SIZE *ends = pcre2_get_ovector_pointer(pattern->data) + 2 * (size_t)group;

    if (group >= pcre2_get_ovector_count(pattern->data) || ends[0] == PCRE2_UNSET ||
        ends[1] < ends[0])
        return -ENOENT;
    *at = pattern->line + ends[0];
    return (long)(ends[1] - ends[0]);
}

uint64_t pattern_given_up(const struct pattern *pattern)
{
    return pattern->given_up;
}
