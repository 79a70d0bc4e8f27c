#include "core_state.h"

#include <errno.h>

/* What is still to be told of the record, its groups count once it is gone. */
static void count_untold(struct core *core, const struct record *record, int64_t time_ms)
{
    for (const struct member *m = record->members; m; m = m->next_of_record) {
        enum item_state state;

        if (!member_news(m, &state))
            continue;
        m->group->forgotten++;
        core_expect_news(core, m->group, m->group->route->wait_ms, time_ms);
    }
}

static void remove_record(struct core *core, struct record *record)
{
    while (record->members)
        core_leave(core, record->members);
    inhibitor_forget(core->inhibitor, record);
    book_remove(core->book, record);
}

static void make_room(struct core *core, const struct topic *topic, int64_t time_ms)
{
    struct record *oldest;

    if (!book_full(core->book) || book_find(core->book, topic))
        return;
    oldest = book_oldest(core->book);
    core->stats.forgotten += oldest->state != ALERT_RESOLVED;
    count_untold(core, oldest, time_ms);
    remove_record(core, oldest);
}

/* The picture alone: nobody is to hear of it. */
static void note_known(struct record *record, int64_t time_ms)
{
    for (struct member *m = record->members; m; m = m->next_of_record) {
        enum item_state state;

        while (member_news(m, &state))
            member_note(m, state, member_channels(m, state));
        m->severity = record->severity;
        m->first_told_ms = m->told_ms = time_ms;
    }
}

/* What an alert was before it was heard again. */
struct before {
    enum alert_severity severity;
    bool lost;
};

/* What was told of it may be told again. While it flaps, only that it is graver is news. */
static bool renews(const struct member *member, enum book_news news, const struct before *before)
{
    const struct record *record = member->record;

    if (record->flap.on)
        return record->severity > member->severity;
    return news == BOOK_EPISODE || record->severity > before->severity ||
           (before->lost && record->state == ALERT_FIRING);
}

static int take_change(struct core *core, struct record *record, enum book_news news,
                       const struct before *before, int64_t time_ms)
{
    bool turned = news == BOOK_EPISODE || record->state == ALERT_RESOLVED ||
                  record->severity != before->severity;
    bool flaps = turned && flap_change(&record->flap, &core->settings->flap, time_ms);

    for (struct member *m = record->members; m; m = m->next_of_record)
        if (flaps || renews(m, news, before))
            member_renew(m);
    return record->state == ALERT_RESOLVED ? 0 : core_route(core, record);
}

/* The groups look at what has become of the record. */
static int take_in(struct core *core, struct record *record, int64_t time_ms)
{
    int rc = inhibitor_update(core->inhibitor, record, time_ms);

    core->grace_ms = inhibitor_next_ms(core->inhibitor, time_ms);
    core_expect_record(core, record, time_ms);
    core_tick(core, time_ms);
    return rc;
}

int core_alert(struct core *core, const struct topic *topic, const struct alert *alert, bool known,
               int64_t time_ms)
{
    struct record *record;
    struct before before;
    enum book_news news;
    int rc, error;

    core->stats.alerts++;
    make_room(core, topic, time_ms);
    record = book_get(core->book, topic);
    if (!record)
        return -ENOMEM;
    news = book_compare(record, alert, time_ms);
    before = (struct before){record->severity, record->lost};
    core->stats.no_news += news < BOOK_CHANGED;
    if (news == BOOK_OLD)
        book_confirm(record, alert);
    else if (book_write(core->book, record, alert, time_ms) < 0)
        return -ENOMEM;
    if (news < BOOK_CHANGED)
        return before.lost ? inhibitor_update(core->inhibitor, record, time_ms) : 0;
    rc = take_change(core, record, news, &before, time_ms);
    if (known)
        note_known(record, time_ms);
    error = take_in(core, record, time_ms);
    return rc < 0 ? rc : error;
}

int core_remove(struct core *core, const struct topic *topic, int64_t time_ms)
{
    struct record *record = book_find(core->book, topic);

    if (!record)
        return -ENOENT;
    core->stats.deleted++;
    if (record->state == ALERT_RESOLVED)
        return 0; /* that it is over is told anyway */
    book_take_away(core->book, record, time_ms);
    return take_in(core, record, time_ms);
}

int core_acknowledge(struct core *core, const struct topic *topic, const char *by,
                     const char *comment, int64_t time_ms)
{
    struct record *record = book_find(core->book, topic);
    int rc;

    if (!record || record->state == ALERT_RESOLVED)
        return -ENOENT;
    rc = book_acknowledge(record, by, comment);
    if (rc <= 0)
        return rc;
    core->stats.acknowledged++;
    for (struct member *m = record->members; m; m = m->next_of_record)
        m->told &= ~TOLD(ITEM_ACKNOWLEDGED);
    core_expect_record(core, record, time_ms);
    core_tick(core, time_ms);
    return 0;
}
