#include "dead.h"

#include "jsonr.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define PAYLOAD_SHOWN 200 /* characters */

static void print_letter(const struct jsonr *letter, FILE *out)
{
    const char *topic = "?", *reason = "?", *detail = "", *payload = "";
    char time_text[32] = "?";
    int64_t ts_ms = 0;
    struct tm parts;
    time_t seconds;

    jsonr_integer(letter, "ts", JSONR_OPTIONAL, &ts_ms);
    jsonr_text(letter, "topic", JSONR_OPTIONAL, &topic);
    jsonr_text(letter, "reason", JSONR_OPTIONAL, &reason);
    jsonr_text(letter, "detail", JSONR_OPTIONAL, &detail);
    jsonr_text(letter, "payload", JSONR_OPTIONAL, &payload);
    seconds = (time_t)(ts_ms / 1000);
    if (gmtime_r(&seconds, &parts))
        strftime(time_text, sizeof(time_text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    fprintf(out, "%s %s %s\n    %s\n    %.*s\n", time_text, reason, topic, detail, PAYLOAD_SHOWN,
            payload);
}

/* Letters in one file, or -errno; a file that is not there has none. */
static int list_file(const char *path, FILE *out)
{
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    int n = 0;

    if (!file)
        return errno == ENOENT ? 0 : -errno;
    while ((size = getline(&line, &capacity, file)) > 0) {
        char error[160];
        struct jsonr letter = {.path = "", .error = error, .error_size = sizeof(error)};

        if (jsonr_parse_object(&letter, line, (size_t)size) == 0) {
            print_letter(&letter, out);
            jsonr_free(letter.object);
        } else {
            fprintf(out, "%s: a line that is no dead letter: %s\n", path, error);
        }
        n++;
    }
    free(line);
    fclose(file);
    return n;
}

int dead_list(const char *path, FILE *out)
{
    char *old_path;
    int old, n;

    if (asprintf(&old_path, "%s.1", path) < 0)
        return -ENOMEM;
    old = list_file(old_path, out);
    free(old_path);
    if (old < 0)
        return old;
    n = list_file(path, out);
    return n < 0 ? n : old + n;
}
