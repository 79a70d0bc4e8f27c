#include "feed.h"

#include <string.h>

void feed_configure(struct feed_settings *out, struct config_node *node)
{
    memset(out, 0, sizeof *out);
    out->line = config_require_string(node, "line");
    if (strpbrk(out->line, "\r\n"))
        config_problem(node, "line", "is one line; its end is added");
    out->expect = config_string(node, "expect", NULL);
    if (out->expect && out->expect[0] == '\0')
        config_problem(node, "expect", "is empty: leave it out where no reply comes");
    watchdog_configure(&out->watchdog, node);
}
