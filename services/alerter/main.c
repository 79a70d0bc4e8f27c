/* alerter: from alert topics to people, once for each change. */
#include "alerter.h"
#include "settings.h"

#define DAY_MS (24 * 60 * 60 * INT64_C(1000))

int main(int argc, char **argv)
{
    static const struct service_option options[] = {
        {.flag = "test",
         .argument = "CHANNEL",
         .help = "send one notification through a channel",
         .is_tool = true},
        {.flag = NULL}};
    static const struct service_program program = {
        .name = "alerter",
        .about = "notifies people of alerts, by webhook and in the log",
        .options = options,
        .configure = settings_configure,
        .discard = settings_discard,
        .start = alerter_start,
        .on_link = alerter_on_link,
        .drain = alerter_drain,
        .drained = alerter_drained,
        .close = alerter_close,
        .working = alerter_working,
        .tool = alerter_test,
        .tool_needs_config = true,
        .session_expiry_ms = 14 * DAY_MS,
    };

    return service_main(&program, argc, argv);
}
