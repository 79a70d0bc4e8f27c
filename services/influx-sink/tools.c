#include "tools.h"

#include "dead.h"
#include "settings.h"
#include "spool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const struct service_option tools_options[] = {
    {"spool-info", NULL, "print what waits in the spool; also while the service runs", true},
    {"dead-letters", "list", "print the messages that could not be stored", true},
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

static int list_dead_letters(const struct settings *settings)
{
    int n = dead_list(settings->dead_path, stdout);

    if (n < 0) {
        fprintf(stderr, "%s: %s\n", settings->dead_path, strerror(-n));
        return SERVICE_IO;
    }
    printf("%d dead letters in %s\n", n, settings->dead_path);
    return SERVICE_OK;
}

int tools_run(const void *settings, const struct service_arguments *arguments)
{
    const char *word = service_argument(arguments, "dead-letters");

    if (!word)
        return spool_info(settings);
    if (strcmp(word, "list") == 0)
        return list_dead_letters(settings);
    fprintf(stderr, "--dead-letters %s: 'list' is meant\n", word);
    return SERVICE_USAGE;
}
