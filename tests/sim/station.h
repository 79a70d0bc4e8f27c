/* Several controllers behind one wire, each under its unit id, with the faults they can show and
 * the words that change both while they run. Pure. */
#ifndef STATION_H
#define STATION_H

#include "noise.h"
#include "plc.h"

#define STATION_UNITS_MAX 16
#define STATION_SAID_SIZE 128 /* bytes of an answer to a control line, NUL included */

struct station;

struct station_unit {
    struct plc plc;
    struct station *station;
    uint8_t id;
    bool silent;       /* fault: never answers */
    uint8_t exception; /* fault: answers everything by this exception; 0: none */
    int64_t late_ms;   /* fault: answers this much later */
};

/* A coil or holding register was written over the wire. */
typedef void station_write_fn(void *self, uint8_t unit, enum pdu_table table, uint16_t address,
                              uint16_t value);

struct station {
    struct station_unit units[STATION_UNITS_MAX];
    size_t n_units;
    double drop; /* fault: share of requests that get no answer, though they are carried out */
    struct noise noise;
    station_write_fn *on_write; /* may be NULL */
    void *self;
};

/* `ids` is a list like "1,2,3"; each unit's line has a seed of its own. The station must not be
 * moved afterwards. Returns 0 or -EINVAL. */
int station_init(struct station *station, const char *ids, uint64_t seed);
void station_step(struct station *station);

/* The watchdog of a unit was written. */
void station_feed(struct station *station, uint8_t unit, int64_t now_ms);

struct station_answer {
    uint8_t pdu[PDU_MAX];
    size_t size; /* 0: nothing is answered */
    int64_t late_ms;
};

/* Carries a request out. Unit 0 is the broadcast of a serial line: all units, no answer. Returns 0,
 * or -ENOENT where there is no such unit. */
int station_ask(struct station *station, uint8_t unit, const uint8_t *pdu, size_t size,
                struct station_answer *out);

/* Carries out one line:
 *   set [UNIT:]TABLE ADDRESS VALUE      TABLE: coil discrete holding input
 *   free [UNIT:]TABLE ADDRESS           an input that was set follows the physics again
 *   get [UNIT:]TABLE ADDRESS
 *   fault silent UNIT | exception UNIT CODE | late UNIT MS | drop P | none
 * Without UNIT the first one is meant. "silent=2" and "exception=2:4" do for a fault as well.
 * `said` becomes "ok", the value, or "error: …". Returns 0 or -EINVAL. */
int station_control(struct station *station, const char *line, char said[STATION_SAID_SIZE]);

const char *station_table_name(enum pdu_table table);

#endif
