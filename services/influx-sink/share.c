#include "share.h"

#include <stdio.h>
#include <string.h>

static const char share[] = "$share/";

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool share_is(const char *filter, int *prefix)
{
    const char *group = filter + strlen(share);
    size_t length;

    *prefix = 0;
    if (!begins(filter, share))
        return false;
    length = strcspn(group, "/+#");
    if (length > 0 && group[length] == '/' && group[length + 1] != '\0')
        *prefix = (int)(group + length + 1 - filter);
    return true;
}

char *share_below(const char *root, const char *filter)
{
    char *out;
    int prefix;

    share_is(filter, &prefix);
    if (asprintf(&out, "%.*s%s/%s", prefix, filter, root, filter + prefix) < 0)
        return NULL;
    return out;
}

bool share_is_lost_by(const char *version)
{
    return begins(version, "mosquitto version ");
}
