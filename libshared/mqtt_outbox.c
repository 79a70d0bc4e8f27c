#include "mqtt_outbox.h"

#include <string.h>

void mqtt_outbox_init(struct mqtt_outbox *outbox)
{
    outbox->first = NULL;
    outbox->end = &outbox->first;
    outbox->n_window = 0;
    outbox->window_max = MQTT_OUTBOX_WINDOW;
}

void mqtt_outbox_free(struct mqtt_outbox *outbox)
{
    mqtt_outbox_unwind(outbox);
    for (struct mqtt_item *item; (item = mqtt_outbox_oldest(outbox));)
        mqtt_item_free(&item->item);
}

void mqtt_outbox_append(struct mqtt_outbox *outbox, struct mqtt_item *item)
{
    item->item.next = NULL;
    *outbox->end = &item->item;
    outbox->end = &item->item.next;
}

void mqtt_outbox_prepend(struct mqtt_outbox *outbox, struct mqtt_item *item)
{
    item->item.next = outbox->first;
    if (!outbox->first)
        outbox->end = &item->item.next;
    outbox->first = &item->item;
}

struct mqtt_item *mqtt_outbox_oldest(struct mqtt_outbox *outbox)
{
    struct inbox_item *oldest = outbox->first;
    if (!oldest)
        return NULL;
    outbox->first = oldest->next;
    if (!outbox->first)
        outbox->end = &outbox->first;
    return (struct mqtt_item *)oldest;
}

struct mqtt_item *mqtt_outbox_next(struct mqtt_outbox *outbox)
{
    return outbox->n_window < outbox->window_max ? mqtt_outbox_oldest(outbox) : NULL;
}

struct mqtt_item *mqtt_outbox_acked(struct mqtt_outbox *outbox, int token)
{
    for (size_t i = 0; i < outbox->n_window; i++) {
        struct mqtt_item *item = outbox->window[i];
        if (item->token != token)
            continue;
        outbox->n_window--;
        memmove(&outbox->window[i], &outbox->window[i + 1],
                (outbox->n_window - i) * sizeof *outbox->window);
        return item;
    }
    return NULL;
}

void mqtt_outbox_sent(struct mqtt_outbox *outbox, struct mqtt_item *item)
{
    outbox->window[outbox->n_window++] = item;
}

void mqtt_outbox_unwind(struct mqtt_outbox *outbox)
{
    while (outbox->n_window > 0)
        mqtt_outbox_prepend(outbox, outbox->window[--outbox->n_window]);
}

bool mqtt_outbox_empty(const struct mqtt_outbox *outbox)
{
    return !outbox->first && outbox->n_window == 0;
}
