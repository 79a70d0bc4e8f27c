#include "wildcard.h"

#include <stddef.h>
#include <string.h>

static bool ends(char c)
{
    return c == '\0' || c == '|';
}

/* One pattern, up to its end. Backtracks only to the last star: never exponential. */
static bool matches_one(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL;

    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            resume = name;
        } else if (!ends(*pattern) && *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return ends(*pattern);
}

bool wildcard_matches(const char *pattern, const char *name)
{
    for (;;) {
        if (matches_one(pattern, name))
            return true;
        pattern = strchr(pattern, '|');
        if (!pattern)
            return false;
        pattern++;
    }
}

bool wildcard_valid(const char *pattern)
{
    size_t length = strlen(pattern);

    if (length == 0 || length > WILDCARD_MAX ||
        strspn(pattern, "abcdefghijklmnopqrstuvwxyz0123456789_-*|") != length)
        return false;
    return pattern[0] != '|' && pattern[length - 1] != '|' && !strstr(pattern, "||");
}
