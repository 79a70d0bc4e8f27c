/* Runs a fuzz target once over each file named, and over each file of each folder named. */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size ? size : 1); /* exact, so that ASan sees a read behind its end */
    int result = -1;

    if (file && data && fread(data, 1, size, file) == size)
        result = LLVMFuzzerTestOneInput(data, size);
    else
        perror(path);
    if (file)
        fclose(file);
    free(data);
    return result;
}

static int run_path(const char *path);

static int run_folder(const char *path)
{
    DIR *folder = opendir(path);
    struct dirent *entry;
    int result = folder ? 0 : -1;

    while (folder && (entry = readdir(folder))) {
        char inner[4096];

        if (entry->d_name[0] == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (run_path(inner) != 0)
            result = -1;
    }
    if (folder)
        closedir(folder);
    return result;
}

static int run_path(const char *path)
{
    struct stat status;

    if (stat(path, &status) != 0) {
        perror(path);
        return -1;
    }
    return S_ISDIR(status.st_mode) ? run_folder(path) : run_file(path, (size_t)status.st_size);
}

int main(int argc, char **argv)
{
    int result = argc > 1 ? 0 : -1;

    for (int i = 1; i < argc; i++)
        if (run_path(argv[i]) != 0)
            result = -1;
    return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
