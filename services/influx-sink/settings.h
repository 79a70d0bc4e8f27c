/* What influx-sink reads from its configuration file. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "config.h"
#include "encode_settings.h"
#include "spool.h"
#include "stats_settings.h"
#include "target.h"

#define SETTINGS_FILTERS_MAX 32
#define SETTINGS_TARGETS_MAX SPOOL_READERS_MAX
#define SETTINGS_TARGET_USUAL "main" /* a target's name where the file gives none */

struct settings {     /* strings are the configuration's or owned, as `owned` says */
    const char *root; /* mqtt.root */
    const char *filters[SETTINGS_FILTERS_MAX + 1]; /* below the root; NULL at the end */
    int64_t session_expiry_ms;
    const char *spool_directory;
    int64_t spool_max_bytes;
    int64_t spool_max_age_ms; /* 0: no bound */
    int64_t segment_bytes;
    int64_t sync_ms;
    bool sync_each;
    size_t batch_points;
    int64_t batch_age_ms;
    int64_t backoff_first_ms;
    int64_t backoff_max_ms;
    unsigned breaker_threshold;
    int64_t breaker_open_ms;
    const char *dead_path;
    int64_t dead_max_bytes;
    struct encode_settings encode;
    const char *types_directory; /* where the types of fields are kept */
    struct target_settings targets[SETTINGS_TARGETS_MAX];
    size_t n_targets;
    const char *readers[SETTINGS_TARGETS_MAX + 1]; /* the targets' names, NULL at the end */
    struct stats_settings stats;
    int64_t retention_ms; /* that --setup gives database or bucket; 0: for ever */
    char *owned[2];       /* the two paths where they follow from service.state_dir */
};

int settings_read(struct settings **out, struct config_node *root); /* 0 or -ENOMEM */
void settings_free(struct settings *settings);

#endif
