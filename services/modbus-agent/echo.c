#include "echo.h"

struct echo echo_find(const struct unit_settings *settings, const struct output *output)
{
    for (size_t i = 0; i < settings->n_groups; i++) {
        const struct group_settings *group = &settings->groups[i];

        for (size_t j = 0; j < group->n_points; j++) {
            const struct group_point *point = &group->points[j];

            if (span_covers(&point->span, &output->span))
                return (struct echo){
                    i, j, point->first_cell + output->span.address - point->span.address};
        }
    }
    return (struct echo){.group = ECHO_NO_GROUP};
}
