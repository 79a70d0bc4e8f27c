#include "settings_keep.h"

#include "settings_groups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int unit_settings_own(struct unit_settings *unit)
{
    for (size_t i = 0; i < unit->n_actuators; i++)
        actuator_own(&unit->actuators[i], &unit->texts);
    failsafe_own(&unit->feed.watchdog.missing, &unit->texts);
    return unit->texts.failed ? -ENOMEM : 0;
}

int bus_settings_own(struct bus_settings *bus)
{
    texts_own(&bus->texts, &bus->url);
    texts_own(&bus->texts, &bus->tls.ca_file);
    texts_own(&bus->texts, &bus->tls.cert_file);
    texts_own(&bus->texts, &bus->tls.key_file);
    texts_own(&bus->texts, &bus->tls.server_name);
    return bus->texts.failed ? -ENOMEM : 0;
}

static void unit_settings_free(struct unit_settings *unit)
{
    if (!unit)
        return;
    groups_release(unit->shared);
    free(unit->actuators);
    free(unit->outputs);
    texts_free(&unit->texts);
    free(unit);
}

void bus_settings_free(struct bus_settings *bus)
{
    if (!bus)
        return;
    for (size_t i = 0; i < bus->n_units; i++)
        unit_settings_free(bus->units[i]);
    free(bus->units);
    texts_free(&bus->texts);
    free(bus);
}

/* The unit keeps its place, and so whose breaker it shares: that is the bus's to say. */
static void keep_unit(struct unit_settings **fresh, struct unit_settings **old)
{
    struct unit_settings *kept = *old;
    size_t breaker_of = (*fresh)->breaker_of;

    (*fresh)->breaker_of = kept->breaker_of;
    kept->breaker_of = breaker_of;
    *old = *fresh;
    *fresh = kept;
}

static void keep_units(struct bus_settings *fresh, struct bus_settings *old)
{
    for (size_t i = 0; i < fresh->n_units; i++)
        for (size_t j = 0; j < old->n_units; j++)
            if (fresh->units[i]->digest == old->units[j]->digest) {
                keep_unit(&fresh->units[i], &old->units[j]);
                break;
            }
}

bool settings_has(const struct settings *settings, const struct bus_settings *bus)
{
    for (size_t i = 0; i < settings->n_buses; i++)
        if (settings->buses[i]->digest == bus->digest &&
            strcmp(settings->buses[i]->url, bus->url) == 0)
            return true;
    return false;
}

const struct unit_settings *settings_find(const struct settings *settings,
                                          const struct unit_settings *unit)
{
    for (size_t i = 0; i < settings->n_buses; i++)
        for (size_t j = 0; j < settings->buses[i]->n_units; j++) {
            const struct unit_settings *found = settings->buses[i]->units[j];

            if (strcmp(found->location, unit->location) == 0 &&
                strcmp(found->device, unit->device) == 0)
                return found;
        }
    return NULL;
}

static void keep_bus(struct bus_settings **fresh, struct bus_settings **old)
{
    struct bus_settings *kept = *old;

    if ((*fresh)->digest != kept->digest) {
        keep_units(*fresh, kept);
        return;
    }
    *old = *fresh;
    *fresh = kept;
}

void settings_keep(struct settings *fresh, struct settings *old)
{
    for (size_t i = 0; i < fresh->n_buses; i++)
        for (size_t j = 0; j < old->n_buses; j++)
            if (strcmp(fresh->buses[i]->url, old->buses[j]->url) == 0) {
                keep_bus(&fresh->buses[i], &old->buses[j]);
                break;
            }
}
