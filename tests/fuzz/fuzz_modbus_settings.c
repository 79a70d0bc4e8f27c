/* Hostile configurations of the modbus-agent: what they are refused for, and what is planned from
 * those that are not. Each point lies whole in exactly one request, and none is longer than the
 * device takes. */
#include "fuzz.h"
#include "settings.h"
#include "tools.h"

#include <stdlib.h>
#include <string.h>

static void check_request(const struct group_settings *group, const struct plan_request *request,
                          unsigned *seen)
{
    bool bits = table_is_bits(request->span.table);

    if (request->span.count > (bits ? group->limits.max_bits : group->limits.max_registers) ||
        span_end(&request->span) > TABLE_SIZE)
        abort();
    for (size_t i = 0; i < request->n_points; i++) {
        size_t point = group->plan.points[request->first_point + i];

        if (!span_covers(&request->span, &group->points[point].span))
            abort();
        seen[point]++;
    }
}

static void check_plan(const struct group_settings *group)
{
    unsigned *seen = calloc(group->n_points + 1, sizeof *seen);

    for (size_t i = 0; i < group->plan.n_requests; i++)
        check_request(group, &group->plan.requests[i], seen);
    for (size_t i = 0; i < group->n_points; i++)
        if (seen[i] != 1)
            abort();
    free(seen);
}

static void check_settings(const struct settings *settings, FILE *nowhere)
{
    for (size_t i = 0; i < settings->n_buses; i++)
        for (size_t j = 0; j < settings->buses[i]->n_units; j++)
            for (size_t k = 0; k < settings->buses[i]->units[j]->n_groups; k++)
                check_plan(&settings->buses[i]->units[j]->groups[k]);
    tools_plan(settings, nowhere);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = calloc(size + 1, 1);
    FILE *nowhere = fopen("/dev/null", "w");
    struct settings *settings = NULL;
    struct config *config;

    if (!text || !nowhere)
        abort();
    memcpy(text, data, size);
    if (config_open_text(&config, "fuzz", text) == 0) {
        int rc = settings_read(&settings, config_root(config));

        if (rc == 0 && config_check(config))
            check_settings(settings, nowhere);
        config_report(config, nowhere);
        if (settings)
            settings_free(settings);
        config_close(config);
    }
    fclose(nowhere);
    free(text);
    return 0;
}
