#include "usb.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LEVELS_UP 4 /* from a terminal to its USB device in sysfs */
#define SCHEME "usb:"
#define ID_LENGTH 4

void usb_attribute(char out[SYSFS_TEXT_SIZE], const char *root, const char *name,
                   const char *attribute)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/sys/class/tty/%s/device", root, name);

    out[0] = '\0';
    for (int level = 0; level <= LEVELS_UP && out[0] == '\0'; level++) {
        snprintf(path + length, sizeof path - (size_t)length, "/%s", attribute);
        sysfs_line(out, path);
        length += snprintf(path + length, sizeof path - (size_t)length, "/..");
    }
}

struct match {
    char vendor[ID_LENGTH + 1];
    char product[ID_LENGTH + 1];
    const char *serial; /* "": any */
};

static bool read_id(char out[ID_LENGTH + 1], const char **from)
{
    size_t length = strspn(*from, "0123456789abcdefABCDEF");

    if (length != ID_LENGTH)
        return false;
    memcpy(out, *from, ID_LENGTH);
    out[ID_LENGTH] = '\0';
    *from += ID_LENGTH;
    return true;
}

static int parse(struct match *out, const char *text)
{
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return -EINVAL;
    text += strlen(SCHEME);
    if (!read_id(out->vendor, &text) || *text++ != ':' || !read_id(out->product, &text))
        return -EINVAL;
    if (*text != '\0' && (*text++ != ':' || *text == '\0'))
        return -EINVAL;
    out->serial = text;
    return 0;
}

int usb_check(const char *text)
{
    struct match match;

    return parse(&match, text);
}

static bool fits(const struct match *match, const char *root, const char *name)
{
    char text[SYSFS_TEXT_SIZE];

    usb_attribute(text, root, name, "idVendor");
    if (strcasecmp(text, match->vendor) != 0)
        return false;
    usb_attribute(text, root, name, "idProduct");
    if (strcasecmp(text, match->product) != 0)
        return false;
    if (match->serial[0] == '\0')
        return true;
    usb_attribute(text, root, name, "serial");
    return strcmp(text, match->serial) == 0;
}

/* The name of the one of the terminals that fits. */
static int choose(const char **out, const glob_t *found, const struct match *match,
                  const char *root)
{
    *out = NULL;
    for (size_t i = 0; i < found->gl_pathc; i++) {
        const char *name = strrchr(found->gl_pathv[i], '/') + 1;

        if (!fits(match, root, name))
            continue;
        if (*out)
            return -ENOTUNIQ;
        *out = name;
    }
    return *out ? 0 : -ENOENT;
}

int usb_find(char *out, size_t size, const char *root, const char *text)
{
    char pattern[PATH_MAX];
    struct match match;
    const char *name;
    glob_t found;
    int error = parse(&match, text);

    if (error)
        return error;
    snprintf(pattern, sizeof pattern, "%s/sys/class/tty/tty*", root);
    if (glob(pattern, 0, NULL, &found) != 0)
        return -ENOENT;
    error = choose(&name, &found, &match, root);
    if (error == 0 && (size_t)snprintf(out, size, "%s/dev/%s", root, name) >= size)
        error = -ENAMETOOLONG;
    globfree(&found);
    return error;
}
