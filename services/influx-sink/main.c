#include "settings.h"
#include "sink.h"
#include "tools.h"

static int configure(void **settings, struct config_node *root)
{
    return settings_read((struct settings **)settings, root);
}

static void discard(void *settings)
{
    settings_free(settings);
}

int main(int argc, char **argv)
{
    static const struct service_program program = {
        .name = "influx-sink",
        .about = "Stores readings, results, alerts and health in InfluxDB, and loses none.",
        .options = tools_options,
        .configure = configure,
        .discard = discard,
        .start = sink_start,
        .on_link = sink_on_link,
        .drain = sink_drain,
        .drained = sink_drained,
        .close = sink_close,
        .working = sink_working,
        .tool = tools_run,
        .tool_needs_config = true,
    };

    return service_main(&program, argc, argv);
}
