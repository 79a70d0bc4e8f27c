/* Templates of the alerter, with a notification whose texts are the input too: no template reads or
 * writes where it must not, and no text breaks out of HTML. The input is the template, a line end,
 * and the message. */
#include "fuzz.h"

#include "notification.h"
#include "template.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static void add(struct notification *notification, enum item_state state, char *message)
{
    const struct item item = {.state = state,
                              .topic = {.location = "hall", .device = "pump_1", .name = "hot"},
                              .message = message,
                              .by = state == ITEM_ACKNOWLEDGED ? message : NULL};

    notification_add_item(notification, &item);
}

static void render(const struct template *template, char *message, enum escape how)
{
    struct notification *notification;
    struct buffer out = {0};

    if (notification_open(&notification, NOTIFICATION_NEWS, "hall", 0) < 0)
        return;
    for (int state = 0; state < ITEM_STATES; state++)
        add(notification, (enum item_state)state, message);
    template_render(template, notification, how, &out);
    buffer_free(&out);
    notification_close(notification);
}

static void check_html(const char *message)
{
    struct buffer out = {0};

    escape_text(ESCAPE_HTML, message, &out);
    assert(!strpbrk(buffer_string(&out), "<>\"'"));
    buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    char *message = text ? strchr(text, '\n') : NULL;
    struct template *template;
    char error[256];

    if (!message) {
        free(text);
        return 0;
    }
    *message++ = '\0';
    check_html(message);
    if (template_open(&template, text, error, sizeof error) == 0) {
        for (int how = ESCAPE_NONE; how <= ESCAPE_SLACK; how++)
            render(template, message, (enum escape)how);
        template_close(template);
    }
    free(text);
    return 0;
}
