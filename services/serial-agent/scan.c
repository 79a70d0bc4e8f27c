#include "scan.h"

#include "holder.h"
#include "service.h"
#include "sysfs.h"
#include "usb.h"

#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* ttyS0 to ttyS31 exist even where there is no chip behind them; "type" 0 says so. */
static bool is_there(const char *root, const char *name)
{
    char path[PATH_MAX];
    char type[SYSFS_TEXT_SIZE];

    snprintf(path, sizeof path, "%s/sys/class/tty/%s/type", root, name);
    sysfs_line(type, path);
    return strncmp(name, "ttyS", 4) != 0 || (type[0] != '\0' && strcmp(type, "0") != 0);
}

/* The link below /dev/serial/by-id or by-path that leads to the port; empty where there is none. */
static void find_link(char out[PATH_MAX], const char *root, const char *folder, const char *name)
{
    char pattern[PATH_MAX];
    glob_t found;

    out[0] = '\0';
    snprintf(pattern, sizeof pattern, "%s/dev/serial/%s/*", root, folder);
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc && out[0] == '\0'; i++) {
        char target[PATH_MAX];
        ssize_t length = readlink(found.gl_pathv[i], target, sizeof target - 1);

        if (length < 0)
            continue;
        target[length] = '\0';
        if (strcmp(base_name(target), name) == 0)
            snprintf(out, PATH_MAX, "%s", found.gl_pathv[i] + strlen(root));
    }
    globfree(&found);
}

static void print_driver(FILE *out, const char *root, const char *name)
{
    char path[PATH_MAX];
    char target[PATH_MAX];
    ssize_t length;

    snprintf(path, sizeof path, "%s/sys/class/tty/%s/device/driver", root, name);
    length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return;
    target[length] = '\0';
    fprintf(out, "  driver   %s\n", base_name(target));
}

static void print_usb(FILE *out, const char *root, const char *name)
{
    static const char *const attributes[] = {"idVendor", "idProduct", "manufacturer", "product",
                                             "serial"};
    static const char *const labels[] = {"vendor", "product", "maker", "name", "serial"};
    char text[SYSFS_TEXT_SIZE];

    for (size_t i = 0; i < sizeof attributes / sizeof attributes[0]; i++) {
        usb_attribute(text, root, name, attributes[i]);
        if (text[0] != '\0')
            fprintf(out, "  %-8s %s\n", labels[i], text);
    }
}

/* By-id names a board wherever it is plugged in; without a serial number two of a kind share it,
 * and by-path, which names the socket, is the one to take. */
static void print_entry(FILE *out, const char *root, const char *name, const char *by_id,
                        const char *by_path)
{
    char serial[SYSFS_TEXT_SIZE];
    const char *best = by_path;

    usb_attribute(serial, root, name, "serial");
    if (by_id[0] != '\0' && (serial[0] != '\0' || by_path[0] == '\0'))
        best = by_id;
    fprintf(
        out,
        "  entry    {\"location\": \"somewhere\", \"device\": \"board_001\", \"port\": \"%s%s\", "
        "\"baud\": 9600, \"polls\": [{\"request\": \"READ_SENSORS\", \"period\": \"1s\", "
        "\"measurement\": \"sensors\", \"format\": \"pairs\", "
        "\"points\": [{\"name\": \"temperature\", \"field\": \"TEMP\"}]}]}\n",
        best[0] != '\0' ? "" : "/dev/", best[0] != '\0' ? best : name);
}

static void print_holder(FILE *out, const char *root, const char *name)
{
    char holder[HOLDER_NAME_SIZE];
    char path[PATH_MAX];
    pid_t pid;

    snprintf(path, sizeof path, "%s/dev/%s", root, name);
    pid = holder_find(path, holder);
    if (pid > 0)
        fprintf(out, "  held by  process %d (%s)\n", (int)pid, holder);
}

static void print_port(FILE *out, const char *root, const char *name)
{
    char by_id[PATH_MAX];
    char by_path[PATH_MAX];

    find_link(by_id, root, "by-id", name);
    find_link(by_path, root, "by-path", name);
    fprintf(out, "/dev/%s\n", name);
    if (by_id[0] != '\0')
        fprintf(out, "  by-id    %s\n", by_id);
    if (by_path[0] != '\0')
        fprintf(out, "  by-path  %s\n", by_path);
    print_driver(out, root, name);
    print_usb(out, root, name);
    print_holder(out, root, name);
    print_entry(out, root, name, by_id, by_path);
}

int scan_ports(FILE *out, const char *root)
{
    static const char *const patterns[] = {"ttyUSB*", "ttyACM*", "ttyS*"};
    int n = 0;

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        char pattern[PATH_MAX];
        glob_t found;

        snprintf(pattern, sizeof pattern, "%s/dev/%s", root, patterns[i]);
        if (glob(pattern, 0, NULL, &found) != 0)
            continue;
        for (size_t j = 0; j < found.gl_pathc; j++) {
            const char *name = base_name(found.gl_pathv[j]);

            if (!is_there(root, name))
                continue;
            print_port(out, root, name);
            n++;
        }
        globfree(&found);
    }
    return n;
}

int scan_run(void)
{
    if (scan_ports(stdout, "") == 0)
        printf("no serial port (ttyUSB, ttyACM, ttyS) is there\n");
    return SERVICE_OK;
}
