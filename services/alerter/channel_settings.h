/* One way out, as the configuration describes it. */
#ifndef CHANNEL_SETTINGS_H
#define CHANNEL_SETTINGS_H

#include "config.h"
#include "json_template.h"
#include "template.h"
#include "zone.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum channel_type {
    CHANNEL_LOG,
    CHANNEL_MQTT,
    CHANNEL_COMMAND,
    CHANNEL_MAIL,
    CHANNEL_WEBHOOK, /* from here on: by HTTP */
    CHANNEL_SLACK,
    CHANNEL_MATTERMOST,
    CHANNEL_TEAMS,
    CHANNEL_TELEGRAM,
    CHANNEL_NTFY,
    CHANNEL_GOTIFY,
    CHANNEL_TYPES
};

struct http_settings {
    char *url;           /* owned; with whatever secret belongs into it */
    char **headers;      /* "Name: value", owned, NULL at the end; some may be secrets */
    const char *ca_file; /* borrowed; NULL: the system's */
    const char *target;  /* borrowed; Telegram's chat, ntfy's topic */
    const char *key;     /* borrowed; signs the body; NULL: it is not signed */
    const char *key_header;
    struct json_template *body; /* owned; NULL: the usual one */
};

struct mail_settings { /* all borrowed but the arrays */
    const char *url;
    const char *username, *password;
    const char *ca_file;
    bool plain;
    const char *from;
    const char **to;                 /* owned, NULL at the end */
    struct template *subject, *html; /* owned */
};

struct channel_settings {
    const char *name; /* borrowed */
    enum channel_type type;
    struct http_settings http;
    struct mail_settings mail;
    const char **command;    /* owned, NULL at the end: the program and its arguments */
    const char *topic;       /* borrowed; of MQTT */
    bool retain;             /* of MQTT */
    struct template *text;   /* owned; NULL: notification_text() */
    const struct zone *zone; /* borrowed; of the times in texts */
    const char *root;        /* borrowed; of the topics in texts */
    int64_t connect_timeout_ms;
    int64_t timeout_ms;
    int64_t max_per_hour; /* notifications; 0: no limit */
    bool critical_passes; /* the limit holds back only what is not critical */
    int fallback;  /* place of the channel that gets what this one could not deliver, or -1 */
    int64_t queue; /* notifications that may wait; beyond them the oldest is dropped */
    int64_t give_up_after_ms; /* since the notification was made */
    int64_t backoff_first_ms;
    int64_t backoff_max_ms;
    int64_t breaker_failures;
    int64_t breaker_open_ms;
};

/* Reads "channels" of the root. Problems are the configuration's. Returns 0 or -ENOMEM. */
int channel_settings_configure(struct channel_settings **out, size_t *n, struct config_node *root);
void channel_settings_free(struct channel_settings *channels, size_t n); /* takes NULL */

/* The place of the channel, or -1. */
int channel_settings_find(const struct channel_settings *channels, size_t n, const char *name);

/* Parts of the above. Each reads what a type has of its own. */
int http_settings_configure(struct http_settings *http, enum channel_type type,
                            struct config_node *node);
void http_settings_free(struct http_settings *http);
int mail_settings_configure(struct mail_settings *mail, struct config_node *node);
void mail_settings_free(struct mail_settings *mail);

/* The template at the key; `fallback` where the key is absent; NULL there: none. Returns 0 or
 * -ENOMEM. */
int template_settings_configure(struct template **out, struct config_node *node, const char *key,
                                const char *fallback);

/* The texts of an array, borrowed, in an array that is owned, NULL at the end. 0 or -ENOMEM. */
int texts_settings_configure(const char ***out, struct config_node *node, const char *key);

#endif
