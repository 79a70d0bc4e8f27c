#include "channel_settings.h"
#include "mail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a mail looks like where nothing else is said; template.h says what stands for what. */
static const char subject[] = "[{severity}] {heading}";
static const char html[] =
    "<!DOCTYPE html>\n<html><body style=\"font-family:sans-serif\">\n<h3>{heading}</h3>\n"
    "<table cellpadding=\"4\" style=\"border-collapse:collapse\">\n"
    "<tr><th>state</th><th>severity</th><th>device</th><th>rule</th><th>message</th>"
    "<th>since</th></tr>\n"
    "{each}<tr><td>{state}{if:by} by {by}{end}</td><td>{severity}</td>"
    "<td>{location}/{device}</td><td>{rule}</td><td>{message}</td><td>{since}</td></tr>\n{end}"
    "</table>\n"
    "{if:more}<p>{plural:more|and one more|and # more}</p>\n{end}"
    "{if:forgotten}<p>{plural:forgotten|one older alert|# older alerts} for which there was no "
    "room</p>\n{end}"
    "{if:standing}<p>{plural:standing|one more told before is|# more told before are} still "
    "active</p>\n{end}"
    "{if:ack}<p>acknowledge: <code>mosquitto_pub -t {ack} -m '{{\"by\":\"YOUR "
    "NAME\"}}'</code></p>\n"
    "{end}"
    "<p style=\"color:#666\">{time} · {id}</p>\n</body></html>\n";

static void configure_server(struct mail_settings *mail, struct config_node *node)
{
    static const char *const kinds[] = {"required", "none", NULL};
    bool tls;

    mail->url = config_url(node, "url", "");
    tls = strncmp(mail->url, "smtps://", 8) == 0;
    if (!tls && strncmp(mail->url, "smtp://", 7) != 0)
        config_problem(node, "url",
                       "a mail server is meant, such as smtp://mail.example.org:587 (STARTTLS) or "
                       "smtps://mail.example.org:465 (TLS)");
    mail->plain = config_choice(node, "tls", kinds, 0) == 1 && !tls;
    mail->ca_file = config_string(node, "ca_file", NULL);
    mail->username = config_string(node, "username", NULL);
    mail->password = config_secret_file(node, "password_file");
    if (mail->username && mail->plain)
        config_problem(node, "username", "no password is sent without TLS");
    if (mail->username && !config_has(node, "password_file"))
        config_problem(node, "password_file", "is required with a username");
}

static int configure_addresses(struct mail_settings *mail, struct config_node *node)
{
    int rc = texts_settings_configure(&mail->to, node, "to");

    mail->from = config_require_string(node, "from");
    if (*mail->from && !mail_address_valid(mail->from))
        config_problem(node, "from", "an address such as alerts@example.org is meant");
    if (rc == 0 && !mail->to[0])
        config_problem(node, "to", "at least one address is needed");
    for (size_t i = 0; rc == 0 && mail->to[i]; i++)
        if (!mail_address_valid(mail->to[i]))
            config_problem(node, "to", "\"%s\" is no address such as ops@example.org", mail->to[i]);
    return rc;
}

int mail_settings_configure(struct mail_settings *mail, struct config_node *node)
{
    int rc = configure_addresses(mail, node);

    configure_server(mail, node);
    if (rc == 0)
        rc = template_settings_configure(&mail->subject, node, "subject", subject);
    if (rc == 0)
        rc = template_settings_configure(&mail->html, node, "html", html);
    return rc;
}

void mail_settings_free(struct mail_settings *mail)
{
    free(mail->to);
    template_close(mail->subject);
    template_close(mail->html);
}
