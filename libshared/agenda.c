#include "agenda.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

void agenda_free(struct agenda *agenda)
{
    free(agenda->items);
    *agenda = (struct agenda){0};
}

int agenda_reserve(struct agenda *agenda, size_t n)
{
    if (n <= agenda->capacity)
        return 0;
    size_t capacity = agenda->capacity ? 2 * agenda->capacity : 16;
    if (capacity < n)
        capacity = n;
    struct agenda_item **items = realloc(agenda->items, capacity * sizeof(struct agenda_item *));
    if (!items)
        return -ENOMEM;
    agenda->items = items;
    agenda->capacity = capacity;
    return 0;
}

static bool before(const struct agenda_item *a, const struct agenda_item *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void put(struct agenda *agenda, struct agenda_item *item, size_t place)
{
    agenda->items[place - 1] = item;
    item->place = place;
}

static void rise(struct agenda *agenda, struct agenda_item *item)
{
    size_t place = item->place;
    while (place > 1 && before(item, agenda->items[place / 2 - 1])) {
        put(agenda, agenda->items[place / 2 - 1], place);
        place /= 2;
    }
    put(agenda, item, place);
}

static void sink(struct agenda *agenda, struct agenda_item *item)
{
    size_t place = item->place;
    while (2 * place <= agenda->n) {
        size_t child = 2 * place;
        if (child < agenda->n && before(agenda->items[child], agenda->items[child - 1]))
            child++;
        if (!before(agenda->items[child - 1], item))
            break;
        put(agenda, agenda->items[child - 1], place);
        place = child;
    }
    put(agenda, item, place);
}

void agenda_set(struct agenda *agenda, struct agenda_item *item, int64_t at_ms)
{
    item->at_ms = at_ms;
    if (item->place == 0)
        put(agenda, item, ++agenda->n);
    rise(agenda, item);
    sink(agenda, item);
}

void agenda_remove(struct agenda *agenda, struct agenda_item *item)
{
    if (item->place == 0)
        return;
    struct agenda_item *last = agenda->items[--agenda->n];
    if (last != item) {
        put(agenda, last, item->place);
        rise(agenda, last);
        sink(agenda, last);
    }
    item->place = 0;
}

struct agenda_item *agenda_first(const struct agenda *agenda)
{
    return agenda->n ? agenda->items[0] : NULL;
}
