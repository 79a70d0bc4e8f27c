#include "agent.h"
#include "settings.h"
#include "tools.h"

static int configure(void **settings, struct config_node *root)
{
    struct settings *read = NULL;
    int rc = settings_read(&read, root);

    *settings = read;
    return rc;
}

static void discard(void *settings)
{
    settings_free(settings);
}

int main(int argc, char **argv)
{
    static const struct service_option options[] = {
        {.flag = "once",
         .help = "read every point once and print table, address, raw value and value",
         .is_tool = true},
        {.flag = "plan",
         .help = "print the requests that will go out and how busy each bus will be",
         .is_tool = true},
        {0}};
    static const struct service_program program = {
        .name = "modbus-agent",
        .about = "Reads and writes Modbus devices, over TCP and serial lines, for MQTT.",
        .options = options,
        .configure = configure,
        .discard = discard,
        .start = agent_start,
        .on_link = agent_on_link,
        .drain = agent_drain,
        .drained = agent_drained,
        .close = agent_close,
        .working = agent_working,
        .tool = tools_run,
        .tool_needs_config = true,
    };

    return service_main(&program, argc, argv);
}
