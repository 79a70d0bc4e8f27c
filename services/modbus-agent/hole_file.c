#include "hole_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_LINE "fieldline holes 1\n"
#define LINE_SIZE 1024

static int find_table(const char *name)
{
    for (int i = 0; table_names[i]; i++)
        if (strcmp(name, table_names[i]) == 0)
            return i;
    return -1;
}

static int keep(const struct settings *settings, struct holes *const *holes, const char *url,
                unsigned unit, const struct span *hole)
{
    for (size_t i = 0; i < settings->n_buses; i++) {
        const struct bus_settings *bus = settings->buses[i];

        if (strcmp(bus->url, url) != 0)
            continue;
        for (size_t j = 0; j < bus->n_units; j++)
            if (bus->units[j]->unit == unit)
                return holes_add(&holes[i][j], hole); /* the first of that address */
    }
    return 0;
}

static int take_line(const char *line, const struct settings *settings, struct holes *const *holes)
{
    char url[LINE_SIZE];
    char table[16];
    unsigned unit;
    int known;
    struct span hole;

    if (sscanf(line, "%1023s %u %15s %u %u", url, &unit, table, &hole.address, &hole.count) != 5)
        return 0;
    known = find_table(table);
    if (known < 0 || hole.address > TABLE_SIZE || hole.count > TABLE_SIZE - hole.address)
        return 0;
    hole.table = (enum table)known;
    return keep(settings, holes, url, unit, &hole);
}

int hole_file_load(const char *path, const struct settings *settings, struct holes *const *holes)
{
    char line[LINE_SIZE];
    FILE *file = fopen(path, "re");
    int rc = 0;

    if (!file)
        return errno == ENOENT ? 0 : -errno;
    if (fgets(line, sizeof line, file) && strcmp(line, FIRST_LINE) == 0)
        while (rc != -ENOMEM && fgets(line, sizeof line, file))
            rc = take_line(line, settings, holes);
    fclose(file);
    return rc == -ENOMEM ? rc : 0;
}

static void print_bus(FILE *file, const struct bus_settings *bus, const struct holes *holes)
{
    for (size_t i = 0; i < bus->n_units; i++)
        for (size_t j = 0; j < holes[i].n; j++)
            fprintf(file, "%s %u %s %u %u\n", bus->url, bus->units[i]->unit,
                    table_names[holes[i].items[j].table], holes[i].items[j].address,
                    holes[i].items[j].count);
}

int hole_file_store(const char *path, const struct settings *settings, struct holes *const *holes)
{
    char beside[PATH_MAX];
    bool written;
    FILE *file;

    if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
        return -ENAMETOOLONG;
    file = fopen(beside, "we");
    if (!file)
        return -errno;
    fputs(FIRST_LINE, file);
    for (size_t i = 0; i < settings->n_buses; i++)
        print_bus(file, settings->buses[i], holes[i]);
    written = fflush(file) == 0 && fsync(fileno(file)) == 0;
    written = fclose(file) == 0 && written;
    if (written && rename(beside, path) == 0)
        return 0;
    unlink(beside);
    return -EIO;
}
