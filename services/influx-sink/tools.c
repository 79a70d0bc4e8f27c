#include "tools.h"

#include "dead_tools.h"
#include "settings.h"
#include "setup.h"
#include "spool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct service_option tools_options[] = {
    {"spool-info", NULL, "print what waits in the spool; also while the service runs", true},
    {"dead-letters", "list|replay|fix",
     "print the messages that could not be stored, store them after all, or mend them first", true},
    {"rename-field", "OLD=NEW", "for --dead-letters fix", false},
    {"drop-field", "NAME", "for --dead-letters fix", false},
    {"set-field", "NAME=VALUE", "for --dead-letters fix: where there is such a field", false},
    {"rename-measurement", "OLD=NEW", "for --dead-letters fix", false},
    {"only", "TOPIC_FILTER", "for --dead-letters fix: messages with these topics only", false},
    {"setup", "ADMIN_FILE",
     "make database or bucket, retention and hourly means, with an administrator's credentials",
     true},
    {"make-tokens", NULL,
     "for --setup, InfluxDB 2: a token that may only write, into the target's token_file", false},
    {NULL, NULL, NULL, false}};

static int spool_info(const struct settings *settings)
{
    struct spool_view view;
    const struct spool_stats *stats = &view.stats;
    char error[512];
    int result = spool_inspect(settings->spool_directory, &view, error, sizeof(error));

    if (result) {
        fprintf(stderr, "%s\n", error);
        return SERVICE_IO;
    }
    printf("directory %s\n", settings->spool_directory);
    printf("waiting   %llu records, numbers %llu to before %llu\n",
           (unsigned long long)(stats->next - stats->first), (unsigned long long)stats->first,
           (unsigned long long)stats->next);
    for (size_t i = 0; i < view.n_readers; i++)
        printf("  for     %llu records, target %s\n",
               (unsigned long long)(stats->next - view.readers[i].cursor), view.readers[i].name);
    printf("size      %lld of %lld bytes in %zu segments\n", (long long)stats->bytes,
           (long long)settings->spool_max_bytes, stats->segments);
    printf("age       %lld s since the oldest segment was written to\n",
           (long long)(stats->age_ms / 1000));
    if (stats->torn > 0)
        printf(
            "damaged   %llu places, to be mended at the next start (or being written just now)\n",
            (unsigned long long)stats->torn);
    return SERVICE_OK;
}

int tools_run(const void *settings, const struct service_arguments *arguments)
{
    if (service_argument(arguments, "dead-letters"))
        return dead_tools_run(settings, arguments);
    if (service_argument(arguments, "setup"))
        return setup_run(settings, service_argument(arguments, "setup"),
                         service_argument(arguments, "make-tokens") != NULL);
    return spool_info(settings);
}
