/* Whole recordings through the rules: a configuration, an empty line, the lines of a capture. What
 * is decided comes in the order of time, as JSON, and the second time as the first. */
#include "fuzz.h"

#include "jsonr.h"
#include "replay.h"

#include <stdlib.h>
#include <string.h>

#define SPAN_MAX_MS 600000 /* time passes at its own pace: not for ever */

struct span {
    int64_t first_ms, last_ms;
};

static int on_message(void *self, const struct capture_message *message, char *error,
                      size_t error_size)
{
    struct span *span = self;
    (void)error;
    (void)error_size;
    if (span->first_ms == 0)
        span->first_ms = message->time_ms;
    span->last_ms = message->time_ms;
    return 0;
}

static FILE *open_text(const char *text)
{
    return fmemopen((void *)(uintptr_t)text, strlen(text), "r");
}

static bool is_short(const char *lines, FILE *nowhere)
{
    struct span span = {0};
    struct capture capture = {.file = open_text(lines), .name = "fuzz", .errors = nowhere};
    int status = capture_run(&capture, on_message, &span);
    fclose(capture.file);
    return status == 0 && span.last_ms - span.first_ms <= SPAN_MAX_MS;
}

static void replay(const struct settings *settings, const char *lines, FILE *nowhere,
                   struct buffer *out)
{
    struct capture capture = {.file = open_text(lines), .name = "fuzz", .errors = nowhere};
    replay_run(settings, &capture, out);
    fclose(capture.file);
}

static void check_decisions(const char *text)
{
    char error[256];
    int64_t before_ms = INT64_MIN, time_ms;
    for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
        struct jsonr in = {.path = "", .error = error, .error_size = sizeof(error)};
        if (jsonr_parse_object(&in, text, (size_t)(end - text)) < 0 ||
            jsonr_integer(&in, "t", JSONR_REQUIRED, &time_ms) < 0 || time_ms < before_ms)
            abort();
        before_ms = time_ms;
        jsonr_free(in.object);
    }
}

static void check(const struct settings *settings, const char *lines, FILE *nowhere)
{
    struct buffer first = {0}, second = {0};
    replay(settings, lines, nowhere, &first);
    replay(settings, lines, nowhere, &second);
    check_decisions(buffer_string(&first));
    if (strcmp(buffer_string(&first), buffer_string(&second)) != 0)
        abort();
    buffer_free(&first);
    buffer_free(&second);
}

static void run(const char *json, const char *lines, FILE *nowhere)
{
    struct config *config;
    void *settings = NULL;
    if (config_open_text(&config, "fuzz", json) < 0)
        return;
    if (settings_configure(&settings, config_root(config)) == 0 && config_check(config) &&
        is_short(lines, nowhere))
        check(settings, lines, nowhere);
    settings_discard(settings);
    config_close(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    FILE *nowhere = fopen("/dev/null", "w");
    char *end = text ? strstr(text, "\n\n") : NULL;
    if (!text || !nowhere)
        abort();
    if (end && end[2] && !strstr(text, "include")) { /* no other files */
        *end = '\0';
        run(text, end + 2, nowhere);
    }
    fclose(nowhere);
    free(text);
    return 0;
}
