/* alerter: from alert topics to people. */
#include "alerter.h"
#include "settings.h"
#include "tools.h"

#define DAY_MS (24 * 60 * 60 * INT64_C(1000))

int main(int argc, char **argv)
{
    static const struct service_option options[] = {
        {.flag = "test",
         .argument = "CHANNEL",
         .help = "send one notification through a channel",
         .is_tool = true},
        {.flag = "route",
         .argument = "FILE",
         .help = "tell where the alert in this capture would go, and why",
         .is_tool = true},
        {.flag = "replay",
         .argument = "CAPTURE",
         .help = "print whom a capture of messages would have told what, and leave",
         .is_tool = true},
        {.flag = "expect",
         .argument = "FILE",
         .help = "with --replay: compare with these notifications; 1 where they differ"},
        {.flag = NULL}};
    static const struct service_program program = {
        .name = "alerter",
        .about = "tells people of alerts: the right ones, once, with the reason",
        .options = options,
        .configure = settings_configure,
        .discard = settings_discard,
        .start = alerter_start,
        .on_link = alerter_on_link,
        .drain = alerter_drain,
        .drained = alerter_drained,
        .close = alerter_close,
        .working = alerter_working,
        .tool = tools_run,
        .tool_needs_config = true,
        .session_expiry_ms = 14 * DAY_MS,
    };

    return service_main(&program, argc, argv);
}
