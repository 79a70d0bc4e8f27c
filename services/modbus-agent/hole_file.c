#include "hole_file.h"

#include "file_replace.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void put_bus(struct buffer *text, const struct bus_settings *bus, const struct holes *holes)
{
    for (size_t i = 0; i < bus->n_units; i++)
        for (size_t j = 0; j < holes[i].n; j++)
            buffer_format(text, "%s %u %s %u %u\n", bus->url, bus->units[i]->unit,
                          table_names[holes[i].items[j].table], holes[i].items[j].address,
                          holes[i].items[j].count);
}

int hole_file_store(const char *path, const struct settings *settings, struct holes *const *holes)
{
    struct buffer text = {0};
    int rc;

    buffer_text(&text, FIRST_LINE);
    for (size_t i = 0; i < settings->n_buses; i++)
        put_bus(&text, settings->buses[i], holes[i]);
    rc = file_replace(path, &text, 0640);
    buffer_free(&text);
    return rc;
}
