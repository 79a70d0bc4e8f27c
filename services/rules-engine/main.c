#include "explain.h"
#include "live.h"
#include "replay.h"
#include "service.h"
#include "settings.h"

int main(int argc, char **argv)
{
    static const struct service_option options[] = {
        {"replay", "CAPTURE", "print what the rules decide on a capture of messages, and leave",
         true},
        {"expect", "FILE", "with --replay: compare with these decisions; 1 where they differ",
         false},
        {"meta", "CAPTURE", "with --check: warn of names that no `meta` in this capture announces",
         false},
        {"against", "FILE",
         "with --replay: what only these (+) or the configured rules (-) decide; 1 if anything",
         false},
        {"shard", "I/N", "decide on the I-th of N parts of all devices, by location and name",
         false},
        {0},
    };
    static const struct service_program program = {
        .name = "rules-engine",
        .about = "decides on readings: derived values, commands, alerts",
        .options = options,
        .configure = settings_configure,
        .discard = settings_discard,
        .start = live_start,
        .on_link = live_on_link,
        .close = live_close,
        .part_flag = "shard",
        .explain = explain_tool,
        .tool = replay_tool,
        .tool_needs_config = true,
        .gather_ms = 1,
    };
    return service_main(&program, argc, argv);
}
