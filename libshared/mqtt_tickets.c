#include "mqtt_tickets.h"

#include <errno.h>
#include <stdlib.h>

struct mqtt_ticket {
    struct mqtt_ticket *next;
    int64_t number;
    mqtt_done_fn *on_done;
    void *self;
};

int64_t mqtt_tickets_add(struct mqtt_tickets *tickets, mqtt_done_fn *on_done, void *self)
{
    struct mqtt_ticket *ticket = malloc(sizeof *ticket);

    if (!ticket)
        return -ENOMEM;
    *ticket = (struct mqtt_ticket){tickets->first, ++tickets->last, on_done, self};
    tickets->first = ticket;
    return ticket->number;
}

/* Takes the ticket out and gives it away; NULL where there is none. */
static struct mqtt_ticket *take_out(struct mqtt_tickets *tickets, int64_t number)
{
    struct mqtt_ticket **at = &tickets->first;
    struct mqtt_ticket *ticket;

    while (*at && (*at)->number != number)
        at = &(*at)->next;
    ticket = *at;
    if (ticket)
        *at = ticket->next;
    return ticket;
}

void mqtt_tickets_tell(struct mqtt_tickets *tickets, int64_t number, int outcome)
{
    struct mqtt_ticket *ticket = take_out(tickets, number);

    if (!ticket)
        return;
    ticket->on_done(ticket->self, outcome);
    free(ticket);
}

void mqtt_tickets_drop(struct mqtt_tickets *tickets, int64_t number)
{
    free(take_out(tickets, number));
}

void mqtt_tickets_forget(struct mqtt_tickets *tickets, const void *self)
{
    for (struct mqtt_ticket **at = &tickets->first; *at;) {
        struct mqtt_ticket *ticket = *at;

        if (self && ticket->self != self) {
            at = &ticket->next;
            continue;
        }
        *at = ticket->next;
        free(ticket);
    }
}
