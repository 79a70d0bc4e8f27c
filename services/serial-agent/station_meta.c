#include "station_meta.h"

#include "meta.h"

int station_meta(struct buffer *out, const struct board_config *config, const char *agent,
                 int64_t time_ms)
{
    struct jsonw w = meta_begin(out, agent, FIELDLINE_VERSION, time_ms);

    for (size_t i = 0; i < config->board.n_polls; i++)
        for (size_t j = 0; j < config->polls[i].n_points; j++)
            meta_point(&w, &config->polls[i].points[j], config->polls[i].measurement,
                       config->requests[i].request ? config->requests[i].period_ms : 0);
    return meta_end(&w, config->actuators, config->n_outputs);
}
