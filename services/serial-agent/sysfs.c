#include "sysfs.h"

#include <stdio.h>
#include <string.h>

void sysfs_line(char out[SYSFS_TEXT_SIZE], const char *path)
{
    FILE *file = fopen(path, "re");

    out[0] = '\0';
    if (!file)
        return;
    if (fgets(out, SYSFS_TEXT_SIZE, file))
        out[strcspn(out, "\n")] = '\0';
    fclose(file);
}
