/* Who waits to hear what came of a message that was given to be published. Inside mqtt.c. */
#ifndef MQTT_TICKETS_H
#define MQTT_TICKETS_H

#include "mqtt.h"

struct mqtt_ticket;

struct mqtt_tickets { /* starts as `= {0}` */
    struct mqtt_ticket *first;
    int64_t last; /* number given out */
};

/* Returns the ticket's number, above 0, or -ENOMEM. */
int64_t mqtt_tickets_add(struct mqtt_tickets *tickets, mqtt_done_fn *on_done, void *self);

/* It has ended: takes the ticket out, then tells. Unknown numbers are ignored: nobody waits. */
void mqtt_tickets_tell(struct mqtt_tickets *tickets, int64_t number, int outcome);

void mqtt_tickets_drop(struct mqtt_tickets *tickets, int64_t number);
void mqtt_tickets_forget(struct mqtt_tickets *tickets, const void *self); /* NULL: all */

#endif
