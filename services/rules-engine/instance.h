/* One rule or derived value for one device: what it reads, bound once, and its state. Pure. */
#ifndef INSTANCE_H
#define INSTANCE_H

#include "agenda.h"
#include "picture.h"
#include "settings.h"

struct instance_binding {
    struct series *series;
    struct window *window; /* of the series; NULL for the field itself */
    uint16_t field;
    uint16_t other; /* the binding to take where the series has never been read; 0 for none */
};

struct instance {
    struct agenda_item due;    /* first: the agenda gives this back; at due_ms or before */
    int64_t due_ms;            /* when time alone has something to say; RULE_NEVER */
    struct instance *next;     /* the engine's list of all */
    const struct scope *scope; /* of the one of these two that is not NULL */
    const struct rule *rule;
    const struct derived *derived;
    struct series *selected;
    union {
        struct series *output; /* of a derived value: what it computes */
        struct duty *duty;     /* of a rule: owned; NULL before its first edge */
    };
    uint64_t seq;            /* of the last reading in `output` */
    struct rule_state state; /* of a rule */
    bool heard;              /* a live reading has come since the start */
    bool owed;               /* its alert is to be told again: a crash may have swallowed it */
    bool owing;              /* its commands are to be given again, likewise */
    bool unconfirmed; /* active, and the broker has not shown its alert since the link is up */
    bool silent;      /* the memory is of when the rule did not alert: the broker knows nothing */
    bool ending;      /* its alert fires though the rule alerts no more */
    bool changed;     /* the rule means something else than when this became active */
    bool wait_kept;   /* the memory knows of the wait that is under way */
    bool queued;      /* for engine_keep() */
    bool by_hand;     /* of an on_off: its `auto` said no */
    bool live;        /* what came last was live, so that time alone may switch */
    struct instance_binding bindings[]; /* one for each reference of the scope, then the others */
};

/* Binds to the picture, which must outlive it, and watches what is read. One of `rule` and
 * `derived` is NULL. After a failure the picture may still name it as a watcher: close both or keep
 * both. Returns 0, -ENOMEM, or -E2BIG where the picture is full. */
int instance_open(struct instance **out, struct picture *picture, const struct rule *rule,
                  const struct derived *derived, struct series *selected);
void instance_close(struct instance *instance);

/* An instance at a moment, as expression_read_fn reads it. */
struct instance_view {
    const struct instance *instance;
    int64_t time_ms;
};
struct value instance_read(void *view, enum expression_aspect aspect, size_t reference);

/* When windows that they read may change though nothing comes; INT64_MAX where they cannot. */
int64_t instance_change_ms(const struct instance *instance, int64_t time_ms);

/* `when` and `until` at a moment. */
struct rule_condition instance_condition(const struct instance *instance, int64_t time_ms);

#endif
