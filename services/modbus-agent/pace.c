#include "pace.h"

#include "jsonw.h"

void pace_init(struct pace *pace)
{
    atomic_init(&pace->missed, 0);
    atomic_init(&pace->skipped, 0);
    atomic_init(&pace->slack_ms, INT64_MAX);
}

void pace_count(struct pace *pace, const struct schedule_group *group)
{
    atomic_store_explicit(&pace->missed, group->missed, memory_order_relaxed);
    atomic_store_explicit(&pace->skipped, group->skipped, memory_order_relaxed);
}

void pace_end_round(struct pace *pace, int64_t slack_ms)
{
    int64_t least_ms = atomic_load_explicit(&pace->slack_ms, memory_order_relaxed);

    /* Where the loop begins anew in between, the larger one is seen again, and tried again. */
    while (slack_ms < least_ms &&
           !atomic_compare_exchange_weak(&pace->slack_ms, &least_ms, slack_ms))
        ;
}

void pace_write(struct pace *pace, struct jsonw *w, const char *key)
{
    int64_t slack_ms = atomic_exchange(&pace->slack_ms, INT64_MAX);

    jsonw_object_begin(w, key);
    jsonw_unsigned(w, "missed", atomic_load_explicit(&pace->missed, memory_order_relaxed));
    jsonw_unsigned(w, "skipped", atomic_load_explicit(&pace->skipped, memory_order_relaxed));
    if (slack_ms == INT64_MAX)
        jsonw_null(w, "slack_ms");
    else
        jsonw_integer(w, "slack_ms", slack_ms);
    jsonw_object_end(w);
}
