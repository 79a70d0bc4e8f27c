/* Any bytes as a command: no crash, and what is taken is written so that it reads the same again.
 */
#include "command.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static void check_written(const struct command *command)
{
    struct command again;
    struct buffer out = {0};
    char error[256];

    if (command_encode(command, &out) != 0 ||
        command_decode(&again, out.data, out.size, error, sizeof error) != 0)
        abort();
    if (!value_equal(&command->value, &again.value) || strcmp(command->id, again.id) != 0 ||
        strcmp(command->source, again.source) != 0 || command->ts_ms != again.ts_ms ||
        command->ttl_ms != again.ttl_ms)
        abort();
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct command command;
    char error[256] = "";
    int result = command_decode(&command, data, size, error, sizeof error);

    if (result == 0)
        check_written(&command);
    else if (!error[0])
        abort();
    return 0;
}
