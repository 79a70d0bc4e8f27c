#include "unit_meta.h"

#include "meta.h"

static void describe_holes(struct jsonw *w, const struct holes *holes)
{
    if (holes->n == 0)
        return;
    jsonw_array_begin(w, "holes");
    for (size_t i = 0; i < holes->n; i++) {
        jsonw_object_begin(w, NULL);
        jsonw_text(w, "table", table_names[holes->items[i].table]);
        jsonw_integer(w, "address", holes->items[i].address);
        jsonw_integer(w, "count", holes->items[i].count);
        jsonw_object_end(w);
    }
    jsonw_array_end(w);
}

int unit_meta(struct buffer *out, const struct unit_settings *settings, const struct holes *holes,
              const char *agent, int64_t time_ms)
{
    struct jsonw w = meta_begin(out, agent, FIELDLINE_VERSION, time_ms);

    for (size_t i = 0; i < settings->n_groups; i++)
        for (size_t j = 0; j < settings->groups[i].n_points; j++)
            meta_point(&w, &settings->groups[i].points[j].point, settings->groups[i].measurement,
                       settings->groups[i].period_ms);
    meta_actuators(&w, settings->actuators, settings->n_actuators);
    describe_holes(&w, holes);
    return meta_close(&w);
}
