#include "feed.h"

#include <math.h>
#include <string.h>

static void configure_number(struct feed_settings *out, double number, struct config_node *node)
{
    double most = out->span.table == TABLE_COIL ? 1 : UINT16_MAX;

    out->kind = FEED_CONSTANT;
    if (number >= 0 && number <= most && number == floor(number))
        out->constant = (uint16_t)number;
    else
        config_problem(node, "write", "a number from 0 to %.0f is what fits there", most);
}

static void configure_write(struct feed_settings *out, struct config_node *node)
{
    struct value write = config_value(node, "write");
    bool coil = out->span.table == TABLE_COIL;

    out->kind = coil ? FEED_TOGGLE : FEED_COUNTER;
    if (write.type == VALUE_NONE)
        return;
    if (write.type == VALUE_NUMBER)
        configure_number(out, write.number, node);
    else if (write.type == VALUE_TEXT && strcmp(write.text, "toggle") == 0)
        out->kind = FEED_TOGGLE;
    else if (coil || write.type != VALUE_TEXT || strcmp(write.text, "counter") != 0)
        config_problem(node, "write", "%s\"toggle\" or a number is meant",
                       coil ? "" : "\"counter\", ");
}

void feed_configure(struct feed_settings *out, struct config_node *node)
{
    static const char *const tables[] = {"holding", "coil", NULL};

    memset(out, 0, sizeof *out);
    out->span.table = config_choice(node, "table", tables, 0) == 1 ? TABLE_COIL : TABLE_HOLDING;
    out->span.address = (unsigned)config_require_integer(node, "address", 0, TABLE_SIZE - 1);
    out->span.count = 1;
    configure_write(out, node);
    watchdog_configure(&out->watchdog, node);
}

uint16_t feed_next(const struct feed_settings *settings, uint16_t last)
{
    switch (settings->kind) {
    case FEED_TOGGLE:
        return !last;
    case FEED_CONSTANT:
        return settings->constant;
    case FEED_COUNTER:
        break;
    }
    return last == UINT16_MAX ? 1 : (uint16_t)(last + 1);
}
