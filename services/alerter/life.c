#include "life.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct life {
    struct life_alert **alerts; /* sorted by location, device, rule */
    size_t n;
    size_t capacity;
    uint64_t forgotten;
};

int life_open(struct life **out, size_t capacity)
{
    struct life *life = calloc(1, sizeof *life);

    if (!life)
        return -ENOMEM;
    life->capacity = capacity;
    life->alerts = calloc(capacity, sizeof(struct life_alert *));
    if (!life->alerts) {
        free(life);
        return -ENOMEM;
    }
    *out = life;
    return 0;
}

void life_close(struct life *life)
{
    if (!life)
        return;
    for (size_t i = 0; i < life->n; i++)
        free(life->alerts[i]);
    free(life->alerts);
    free(life);
}

static int compare(const struct life_alert *a, const struct life_alert *b)
{
    int order = strcmp(a->location, b->location);

    if (order == 0)
        order = strcmp(a->device, b->device);
    if (order == 0)
        order = strcmp(a->rule, b->rule);
    return order;
}

/* The place of the alert, or where it would be put. */
static size_t life_place(const struct life *life, const struct life_alert *key)
{
    size_t low = 0, high = life->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(life->alerts[middle], key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void life_remove(struct life *life, size_t place)
{
    free(life->alerts[place]);
    life->n--;
    memmove(&life->alerts[place], &life->alerts[place + 1],
            (life->n - place) * sizeof(struct life_alert *));
}

static void life_make_room(struct life *life)
{
    size_t oldest = 0;

    if (life->n < life->capacity)
        return;
    for (size_t i = 1; i < life->n; i++) {
        const struct life_alert *a = life->alerts[i], *b = life->alerts[oldest];
        bool a_resolved = a->state == ALERT_RESOLVED, b_resolved = b->state == ALERT_RESOLVED;

        if (a_resolved != b_resolved ? a_resolved : a->since_ms < b->since_ms)
            oldest = i;
    }
    life_remove(life, oldest);
    life->forgotten++;
}

/* Finds the alert or makes one as `key`. */
static struct life_alert *life_find_or_add(struct life *life, const struct life_alert *key)
{
    size_t place = life_place(life, key);
    struct life_alert *added;

    if (place < life->n && compare(life->alerts[place], key) == 0)
        return life->alerts[place];
    life_make_room(life);
    added = malloc(sizeof *added);
    if (!added)
        return NULL;
    *added = *key;
    place = life_place(life, key);
    memmove(&life->alerts[place + 1], &life->alerts[place],
            (life->n - place) * sizeof(struct life_alert *));
    life->alerts[place] = added;
    life->n++;
    return added;
}

static struct life_alert key_of(const struct topic *topic)
{
    struct life_alert key = {.state = ALERT_RESOLVED, .since_ms = INT64_MIN};

    strcpy(key.location, topic->location);
    strcpy(key.device, topic->device);
    strcpy(key.rule, topic->name);
    return key;
}

/* Delivered late or twice: an episode that was over before the one we know of. */
static bool is_past(const struct life_alert *known, const struct alert *heard)
{
    return heard->episode < known->episode && heard->since_ms < known->since_ms;
}

/* Another episode; the number alone does not tell where the rules-engine lost its memory and counts
 * from the start again. */
static bool is_new_episode(const struct life_alert *known, const struct alert *heard)
{
    if (heard->episode != known->episode)
        return true;
    return known->state == ALERT_RESOLVED && heard->state != ALERT_RESOLVED &&
           heard->since_ms > known->since_ms;
}

int life_offer(struct life *life, const struct topic *topic, const struct alert *heard,
               bool fill_only)
{
    struct life_alert key = key_of(topic);
    struct life_alert *known = life_find_or_add(life, &key);
    unsigned bit = 1u << heard->state;
    bool was_active, news;

    if (!known)
        return -ENOMEM;
    if (is_past(known, heard))
        return 0;
    was_active = known->state != ALERT_RESOLVED;
    if (is_new_episode(known, heard))
        known->told = 0;
    /* A resolution tells nothing to who never heard of the alert. */
    news = !(known->told & bit) && (heard->state != ALERT_RESOLVED || was_active);
    known->episode = heard->episode;
    known->since_ms = heard->since_ms;
    known->state = heard->state;
    known->severity = heard->severity;
    if (news || fill_only)
        known->told |= bit;
    return news && !fill_only;
}

void life_forget(struct life *life, const struct topic *topic)
{
    struct life_alert key = key_of(topic);
    size_t place = life_place(life, &key);

    if (place < life->n && compare(life->alerts[place], &key) == 0)
        life_remove(life, place);
}

int life_restore(struct life *life, const struct life_alert *alert)
{
    struct life_alert *added = life_find_or_add(life, alert);

    if (!added)
        return -ENOMEM;
    *added = *alert;
    return 0;
}

size_t life_size(const struct life *life)
{
    return life->n;
}

const struct life_alert *life_at(const struct life *life, size_t index)
{
    return life->alerts[index];
}

size_t life_active(const struct life *life)
{
    size_t active = 0;

    for (size_t i = 0; i < life->n; i++)
        active += life->alerts[i]->state != ALERT_RESOLVED;
    return active;
}

uint64_t life_forgotten(const struct life *life)
{
    return life->forgotten;
}
