/* A bus as the loop has it: its thread and its devices. On the loop. */
#ifndef LINE_H
#define LINE_H

#include "backlog.h"
#include "service.h"
#include "settings.h"
#include "unit.h"
#include "worker.h"

struct line;

/* What all lines have in common; borrowed. */
struct line_shared {
    struct service *service;
    struct backlog *backlog;
    struct inbox *answers; /* of all their threads; each answer's owner is the line */
    struct sample *sample;
    void (*on_holes)(void *self); /* something was learnt that is worth keeping */
    void *self;
};

/* `holes` is an array for each of its devices (hole_file.h), taken over. `before` is the line that
 * was halted for this one, of which those devices are taken over that have settings in this one
 * too; NULL: there was none. Returns 0 or -errno. */
int line_open(struct line **out, const struct line_shared *shared,
              const struct bus_settings *settings, struct holes *holes, struct line *before);

/* Tells its thread to end. */
void line_stop(struct line *line);

/* Waits for that: one request's time-out at the most. Its last answers are in the inbox then. */
void line_halt(struct line *line);

/* Closes a halted line's devices that are not among the units of `bus` (NULL: all of them). `fresh`
 * has what becomes of them; NULL: the agent ends. */
void line_part(struct line *line, const struct bus_settings *bus, const struct settings *fresh);

/* Stops, halts and parts with everything first, where that was not done. */
void line_close(struct line *line);

void line_take(struct line *line, const struct answer *answer);

typedef void line_unit_fn(struct unit *unit);
void line_each(struct line *line, line_unit_fn *call);
bool line_is_writing(const struct line *line); /* or has a safe value to write yet */
void line_renew(struct line *line);            /* see worker_renew() */

/* For health: a member for each group, see pace_write(). */
void line_write_paces(struct line *line, struct jsonw *w);

int64_t line_moved_ms(const struct line *line); /* see worker_moved_ms() */
const struct bus_settings *line_settings(const struct line *line);
struct holes *line_holes(const struct line *line); /* of each device; borrowed */

#endif
