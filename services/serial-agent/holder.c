#include "holder.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define LINK_SIZE 320

/* Majors of pseudo-terminals: Linux, Documentation/admin-guide/devices.txt. */
#define PSEUDO_FIRST 136
#define PSEUDO_LAST 143

/* Each container has pseudo-terminals of its own, on a file system of its own, with the same
 * numbers. */
static bool is_same(const struct stat *a, const struct stat *b)
{
    bool pseudo = major(a->st_rdev) >= PSEUDO_FIRST && major(a->st_rdev) <= PSEUDO_LAST;

    return S_ISCHR(b->st_mode) && a->st_rdev == b->st_rdev && (!pseudo || a->st_dev == b->st_dev);
}

/* Only what lies below /dev is looked at closely: a stat() elsewhere may hang with a dead server.
 */
static bool is_device(const char *link, const struct stat *device)
{
    char target[LINK_SIZE];
    struct stat status;
    ssize_t length = readlink(link, target, sizeof target - 1);

    if (length < 5 || memcmp(target, "/dev/", 5) != 0)
        return false;
    return stat(link, &status) == 0 && is_same(device, &status);
}

static bool holds(const char *process, const struct stat *device)
{
    char path[LINK_SIZE];
    struct dirent *entry;
    bool found = false;
    DIR *folder;

    snprintf(path, sizeof path, "/proc/%.16s/fd", process);
    folder = opendir(path);
    if (!folder)
        return false;
    while (!found && (entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof path, "/proc/%.16s/fd/%.16s", process, entry->d_name);
        found = is_device(path, device);
    }
    closedir(folder);
    return found;
}

static void read_name(char name[HOLDER_NAME_SIZE], const char *process)
{
    char path[LINK_SIZE];
    FILE *file;

    snprintf(path, sizeof path, "/proc/%.16s/comm", process);
    file = fopen(path, "re");
    if (!file)
        return;
    if (fgets(name, HOLDER_NAME_SIZE, file))
        name[strcspn(name, "\n")] = '\0';
    fclose(file);
}

pid_t holder_find(const char *path, char name[HOLDER_NAME_SIZE])
{
    struct stat status;
    struct dirent *entry;
    pid_t found = 0;
    DIR *processes;

    name[0] = '\0';
    if (stat(path, &status) != 0 || !S_ISCHR(status.st_mode))
        return 0;
    processes = opendir("/proc");
    if (!processes)
        return 0;
    while (found == 0 && (entry = readdir(processes)) != NULL)
        if (isdigit((unsigned char)entry->d_name[0]) && holds(entry->d_name, &status)) {
            found = (pid_t)atoi(entry->d_name);
            read_name(name, entry->d_name);
        }
    closedir(processes);
    return found;
}
