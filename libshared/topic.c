#include "topic.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ROOT_LENGTH_MAX 200

enum shape { SHAPE_DEVICE, SHAPE_DEVICE_NAME, SHAPE_SUITE_NAME, SHAPE_SUITE_NAME_WORD };

/* SHAPE_DEVICE            root/location/device/<word>
 * SHAPE_DEVICE_NAME       root/location/device/<word>/name
 * SHAPE_SUITE_NAME        root/<word>/name
 * SHAPE_SUITE_NAME_WORD   root/<word>/name/<last> */
static const struct {
    enum shape shape;
    const char *word;
    const char *last;
} kinds[TOPIC_N_KINDS] = {
    [TOPIC_TELEMETRY] = {SHAPE_DEVICE_NAME, "telemetry", NULL},
    [TOPIC_STATUS] = {SHAPE_DEVICE, "status", NULL},
    [TOPIC_META] = {SHAPE_DEVICE, "meta", NULL},
    [TOPIC_COMMAND] = {SHAPE_DEVICE_NAME, "command", NULL},
    [TOPIC_RESULT] = {SHAPE_DEVICE_NAME, "result", NULL},
    [TOPIC_STATE] = {SHAPE_DEVICE_NAME, "state", NULL},
    [TOPIC_ALERT] = {SHAPE_DEVICE_NAME, "alert", NULL},
    [TOPIC_ACK] = {SHAPE_DEVICE_NAME, "ack", NULL},
    [TOPIC_SERVICE_STATUS] = {SHAPE_SUITE_NAME_WORD, "_service", "status"},
    [TOPIC_SERVICE_HEALTH] = {SHAPE_SUITE_NAME_WORD, "_service", "health"},
    [TOPIC_SILENCE] = {SHAPE_SUITE_NAME, "_silence", NULL},
    [TOPIC_DEAD] = {SHAPE_SUITE_NAME, "_dead", NULL},
    [TOPIC_QUERY] = {SHAPE_SUITE_NAME, "_query", NULL},
    [TOPIC_NOTIFICATION] = {SHAPE_SUITE_NAME, "_notification", NULL},
};

/* Each level of each topic and each value's name comes here: strspn() takes four times as long.
 */
static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool topic_name_valid(const char *name)
{
    size_t length = 0;
    while (name && length < TOPIC_NAME_SIZE && is_name_character(name[length]))
        length++;
    return length > 0 && length < TOPIC_NAME_SIZE && name[length] == '\0';
}

bool topic_name_reserved(const char *name)
{
    return name && name[0] == '_';
}

bool topic_root_valid(const char *root)
{
    if (!root || root[0] == '\0' || root[0] == '/' || root[0] == '$')
        return false;
    if (strnlen(root, ROOT_LENGTH_MAX + 1) > ROOT_LENGTH_MAX || strpbrk(root, "+#"))
        return false;
    for (const char *c = root; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
        if (*c == '/' && (c[1] == '/' || c[1] == '\0'))
            return false;
    }
    return true;
}

#define LEVELS_MAX 4

/* Copies the levels of `text`. Returns their number, 0 where one is no name or there are too many.
 */
static size_t split(const char *text, char levels[LEVELS_MAX][TOPIC_NAME_SIZE])
{
    for (size_t n = 0; n < LEVELS_MAX; n++) {
        size_t length = strcspn(text, "/");
        if (length >= TOPIC_NAME_SIZE)
            return 0;
        memcpy(levels[n], text, length);
        levels[n][length] = '\0';
        if (!topic_name_valid(levels[n]))
            return 0;
        text += length;
        if (*text++ == '\0')
            return n + 1;
    }
    return 0;
}

static bool kind_matches(enum topic_kind kind, char levels[LEVELS_MAX][TOPIC_NAME_SIZE], size_t n)
{
    bool suite = topic_name_reserved(levels[0]);
    const char *word = kinds[kind].word;
    switch (kinds[kind].shape) {
    case SHAPE_DEVICE:
        return n == 3 && !suite && strcmp(levels[2], word) == 0;
    case SHAPE_DEVICE_NAME:
        return n == 4 && !suite && strcmp(levels[2], word) == 0;
    case SHAPE_SUITE_NAME:
        return n == 2 && strcmp(levels[0], word) == 0;
    case SHAPE_SUITE_NAME_WORD:
        return n == 3 && strcmp(levels[0], word) == 0 && strcmp(levels[2], kinds[kind].last) == 0;
    }
    return false;
}

int topic_parse(struct topic *out, const char *root, const char *topic)
{
    size_t length = strlen(root);
    if (strncmp(topic, root, length) != 0 || topic[length] != '/')
        return -ENOENT;
    char levels[LEVELS_MAX][TOPIC_NAME_SIZE];
    size_t n = split(topic + length + 1, levels);
    for (int kind = 0; n >= 2 && kind < TOPIC_N_KINDS; kind++) {
        if (!kind_matches(kind, levels, n))
            continue;
        *out = (struct topic){.kind = kind};
        if (kinds[kind].shape == SHAPE_DEVICE || kinds[kind].shape == SHAPE_DEVICE_NAME) {
            strcpy(out->location, levels[0]);
            strcpy(out->device, levels[1]);
            strcpy(out->name, n == 4 ? levels[3] : "");
        } else {
            strcpy(out->name, levels[1]);
        }
        return 0;
    }
    return -ENOENT;
}

int topic_format(char out[TOPIC_SIZE], const char *root, const struct topic *topic)
{
    return topic_make(out, root, topic->kind, topic->location, topic->device, topic->name);
}

int topic_make(char out[TOPIC_SIZE], const char *root, enum topic_kind kind, const char *location,
               const char *device, const char *name)
{
    const char *word = kinds[kind].word;
    int length = -1;
    switch (kinds[kind].shape) {
    case SHAPE_DEVICE:
        length = snprintf(out, TOPIC_SIZE, "%s/%s/%s/%s", root, location, device, word);
        break;
    case SHAPE_DEVICE_NAME:
        length = snprintf(out, TOPIC_SIZE, "%s/%s/%s/%s/%s", root, location, device, word, name);
        break;
    case SHAPE_SUITE_NAME:
        length = snprintf(out, TOPIC_SIZE, "%s/%s/%s", root, word, name);
        break;
    case SHAPE_SUITE_NAME_WORD:
        length = snprintf(out, TOPIC_SIZE, "%s/%s/%s/%s", root, word, name, kinds[kind].last);
        break;
    }
    return length >= 0 && length < TOPIC_SIZE ? 0 : -ENAMETOOLONG;
}

bool topic_is_reply(const char *root, const char *topic)
{
    static const char reply[] = "/_reply/";
    size_t length = strlen(root);
    if (topic[0] == '\0' || topic[0] == '$' || strpbrk(topic, "+#"))
        return false;
    if (strncmp(topic, root, length) != 0 || (topic[length] != '/' && topic[length] != '\0'))
        return true;
    return strncmp(topic + length, reply, strlen(reply)) == 0 &&
           topic[length + strlen(reply)] != '\0';
}

/* "$share/group/filter" is matched as "filter". */
static const char *skip_share(const char *filter)
{
    static const char share[] = "$share/";
    if (strncmp(filter, share, sizeof share - 1) != 0)
        return filter;
    const char *end = strchr(filter + sizeof share - 1, '/');
    return end ? end + 1 : filter;
}

bool topic_matches(const char *filter, const char *topic)
{
    filter = skip_share(filter);
    if (topic[0] == '$' && (filter[0] == '+' || filter[0] == '#'))
        return false;
    for (;;) {
        size_t wanted = strcspn(filter, "/");
        size_t level = strcspn(topic, "/");
        if (filter[0] == '#')
            return filter[1] == '\0';
        bool any = wanted == 1 && filter[0] == '+';
        if (!any && (wanted != level || memcmp(filter, topic, level) != 0))
            return false;
        filter += wanted;
        topic += level;
        if (*topic == '\0') /* "a/#" takes "a" too */
            return *filter == '\0' || strcmp(filter, "/#") == 0;
        if (*filter == '\0')
            return false;
        filter++;
        topic++;
    }
}

#define ECHO_LEVEL "_echo"

int topic_echo(char out[TOPIC_SIZE], const char *filter)
{
    size_t length = 0;
    if (!strpbrk(filter, "+#") || skip_share(filter) != filter)
        return -ENOENT;
    for (; *filter; filter++) {
        bool wildcard = *filter == '+' || *filter == '#';
        size_t n = wildcard ? strlen(ECHO_LEVEL) : 1;
        if (length + n >= TOPIC_SIZE)
            return -ENAMETOOLONG;
        memcpy(out + length, wildcard ? ECHO_LEVEL : filter, n);
        length += n;
    }
    out[length] = '\0';
    return 0;
}

bool topic_is_echo(const char *topic)
{
    size_t length = strlen(ECHO_LEVEL);
    for (const char *level = topic; level; level = strchr(level, '/')) {
        level += *level == '/';
        if (strncmp(level, ECHO_LEVEL, length) == 0 &&
            (level[length] == '/' || level[length] == '\0'))
            return true;
    }
    return false;
}
