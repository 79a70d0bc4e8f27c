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
        {.flag = "probe",
         .argument = "URL",
         .help = "find units on an unknown bus and what their registers may mean; only reads",
         .is_tool = true},
        {.flag = "units", .argument = "1-10,17", .help = "to be looked for by --probe"},
        {.flag = "addresses", .argument = "0-99", .help = "to be read by --probe in each table"},
        {.flag = "expect",
         .argument = "229.0±5,50±1%",
         .help = "what the device itself shows: --probe finds where, and prints a configuration"},
        {.flag = "all", .help = "show every interpretation of --probe"},
        {.flag = "timeout", .argument = "200ms", .help = "for each answer to --probe"},
        {.flag = "limit", .argument = "5m", .help = "for all of --probe"},
        {0}};
    static const struct service_program program = {
        .name = "modbus-agent",
        .about = "Reads and writes Modbus devices, over TCP and serial lines, for MQTT.",
        .options = options,
        .configure = configure,
        .discard = discard,
        .start = agent_start,
        .reload = agent_reload,
        .forgettable = "buses",
        .on_link = agent_on_link,
        .drain = agent_drain,
        .drained = agent_drained,
        .close = agent_close,
        .working = agent_working,
        .tool = tools_run,
    };

    return service_main(&program, argc, argv);
}
