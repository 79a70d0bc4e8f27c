#include "agent.h"
#include "once.h"
#include "scan.h"
#include "service.h"
#include "settings.h"

static const struct service_option options[] = {
    {"once", NULL, "ask each board once: show what goes out, what comes in and how it is read",
     true},
    {"scan", NULL, "list the serial ports of this machine, with an entry for the configuration",
     true},
    {NULL, NULL, NULL, false},
};

static int tool(const void *settings, const struct service_arguments *arguments)
{
    if (service_argument(arguments, "scan"))
        return scan_run();
    if (settings)
        return once_run(settings);
    return SERVICE_USAGE;
}

int main(int argc, char **argv)
{
    static const struct service_program program = {
        .name = "serial-agent",
        .about = "reads and switches boards that speak lines, over serial ports and TCP",
        .options = options,
        .configure = settings_configure,
        .discard = settings_discard,
        .start = agent_start,
        .reload = agent_reload,
        .on_link = agent_on_link,
        .drain = agent_drain,
        .drained = agent_drained,
        .working = agent_working,
        .close = agent_close,
        .tool = tool,
    };

    return service_main(&program, argc, argv);
}
