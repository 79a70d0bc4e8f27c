#include "ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REASON_SIZE 32

struct entry {
    struct command_result result; /* its pointers are to the copies below; its values are owned */
    char id[COMMAND_ID_SIZE];
    char reason[REASON_SIZE];
    char source[COMMAND_SOURCE_SIZE];
};

struct ledger {
    size_t capacity;
    size_t n_entries;
    size_t next; /* the entry that is written next */
    struct entry entries[];
};

int ledger_open(struct ledger **out, size_t capacity)
{
    struct ledger *ledger = calloc(1, sizeof *ledger + capacity * sizeof ledger->entries[0]);

    if (!ledger)
        return -ENOMEM;
    ledger->capacity = capacity;
    *out = ledger;
    return 0;
}

static void free_values(struct command_result *result)
{
    value_free(&result->value);
    value_free(&result->previous);
    value_free(&result->wanted);
}

/* Makes it its own. Without memory for a text it is unknown. */
static void own(struct value *value)
{
    struct value copy;

    *value = value_copy(&copy, value) == 0 ? copy : (struct value){.type = VALUE_NONE};
}

void ledger_close(struct ledger *ledger)
{
    if (!ledger)
        return;
    for (size_t i = 0; i < ledger->n_entries; i++)
        free_values(&ledger->entries[i].result);
    free(ledger);
}

/* Index of the entry, n_entries where there is none. */
static size_t find(const struct ledger *ledger, const char *id)
{
    for (size_t i = 0; i < ledger->n_entries; i++)
        if (strcmp(ledger->entries[i].id, id) == 0)
            return i;
    return ledger->n_entries;
}

void ledger_add(struct ledger *ledger, const struct command_result *result)
{
    struct entry *entry;

    if (!result->id || result->id[0] == '\0')
        return;
    size_t i = find(ledger, result->id);
    if (i == ledger->n_entries) {
        i = ledger->next;
        ledger->next = (ledger->next + 1) % ledger->capacity;
        if (ledger->n_entries < ledger->capacity)
            ledger->n_entries++;
    }
    entry = &ledger->entries[i];
    free_values(&entry->result);
    entry->result = *result;
    own(&entry->result.value);
    own(&entry->result.previous);
    own(&entry->result.wanted);
    snprintf(entry->id, sizeof entry->id, "%s", result->id);
    snprintf(entry->reason, sizeof entry->reason, "%s", result->reason ? result->reason : "");
    snprintf(entry->source, sizeof entry->source, "%s", result->source ? result->source : "");
    entry->result.id = entry->id;
    entry->result.reason = result->reason ? entry->reason : NULL;
    entry->result.source = entry->source;
    entry->result.message = NULL;
}

bool ledger_find(const struct ledger *ledger, const char *id, struct command_result *out)
{
    size_t i = id && id[0] != '\0' ? find(ledger, id) : ledger->n_entries;

    if (i < ledger->n_entries)
        *out = ledger->entries[i].result;
    return i < ledger->n_entries;
}
