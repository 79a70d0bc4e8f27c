#include "core_state.h"

void core_doubt(struct core *core)
{
    for (struct record *r = book_first(core->book, false); r; r = r->next)
        r->doubted = true;
    silences_doubt(&core->silences);
}

static void lose(struct core *core, struct record *record, int64_t time_ms)
{
    book_lose(core->book, record, time_ms);
    core->stats.lost_alerts++;
    if (inhibitor_update(core->inhibitor, record, time_ms) < 0)
        core->stats.lost++;
    core_expect_record(core, record, time_ms);
}

size_t core_give_up(struct core *core, int64_t time_ms)
{
    size_t n = 0, todo = book_active(core->book);
    struct record *next;

    for (struct record *r = book_first(core->book, false); r && todo > 0; r = next, todo--) {
        next = r->next; /* those that are lost go to the end */
        if (!r->doubted)
            continue;
        lose(core, r, time_ms);
        n++;
    }
    if (silences_drop_doubted(&core->silences) > 0)
        core_look(core);
    core->grace_ms = inhibitor_next_ms(core->inhibitor, time_ms);
    core_tick(core, time_ms);
    return n;
}
