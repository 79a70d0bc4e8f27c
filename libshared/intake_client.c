#include "intake_client.h"

#include "mqtt_url.h"
#include "nodelay.h"

#include <errno.h>
#include <MQTTAsync.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILTERS_MAX 64

/* The library has one receiving thread for all its clients. Once that has been stopped for good, to
 * leave a message unacknowledged, no client of this process can receive any more. */
static atomic_bool library_stopped;

struct intake_client {
    MQTTAsync handle;
    const struct mqtt_options *options;
    struct inbox *events;
    intake_client_fn *on_message;
    void *self;
    atomic_bool busy; /* a handler is in on_message */
    _Atomic uint64_t received;
};

void intake_event_free(struct inbox_item *item)
{
    free(item);
}

/* An event that memory or a shut inbox refuses is made up for by the loop's own time-out. */
static void tell(struct intake_client *client, const struct intake_event *event)
{
    struct intake_event *copy = malloc(sizeof(*copy));

    if (!copy)
        return;
    *copy = *event;
    copy->item.size = sizeof(*copy);
    if (inbox_force(client->events, &copy->item) != 0)
        free(copy);
}

static void tell_text(struct intake_client *client, enum intake_event_kind kind, const char *text)
{
    struct intake_event event = {.kind = kind};

    snprintf(event.text, sizeof(event.text), "%s", text ? text : "no reason given");
    tell(client, &event);
}

static const char *failure(int reason, int code, const char *message)
{
    const char *text = NULL;

    if (message)
        return message;
    if (reason > 0)
        text = MQTTReasonCode_toString((enum MQTTReasonCodes)reason);
    if (!text && code != 0)
        text = MQTTAsync_strerror(code);
    return text ? text : "no answer";
}

static void on_connected(void *self, MQTTAsync_successData5 *data)
{
    struct intake_client *client = self;
    struct intake_event event = {.kind = INTAKE_CONNECTED,
                                 .flag = data && data->alt.connect.sessionPresent};

    nodelay_all();
    tell(client, &event);
}

static void on_failed(void *self, MQTTAsync_failureData5 *data)
{
    tell_text(self, INTAKE_FAILED,
              data ? failure((int)data->reasonCode, data->code, data->message) : NULL);
}

static void tell_refused(struct intake_client *client, int index, enum MQTTReasonCodes code)
{
    struct intake_event event = {.kind = INTAKE_REFUSED, .number = index};

    snprintf(event.text, sizeof(event.text), "%s", failure((int)code, 0, NULL));
    tell(client, &event);
}

/* With one filter the library tells its code alone and sets a count of 1 over no list at all; with
 * several, a list. */
static void on_granted(void *self, MQTTAsync_successData5 *data)
{
    struct intake_client *client = self;
    struct intake_event event = {.kind = INTAKE_GRANTED};
    int n = data ? data->alt.sub.reasonCodeCount : 0;

    if (data && n <= 1 && (int)data->reasonCode >= 128)
        tell_refused(client, 0, data->reasonCode);
    for (int i = 0; n > 1 && i < n; i++)
        if ((int)data->alt.sub.reasonCodes[i] >= 128)
            tell_refused(client, i, data->alt.sub.reasonCodes[i]);
    tell(client, &event);
}

static void on_lost(void *self, char *cause)
{
    tell_text(self, INTAKE_LOST, cause ? cause : "connection lost");
}

static void on_told_to_leave(void *self, MQTTProperties *properties, enum MQTTReasonCodes reason)
{
    (void)properties;
    tell_text(self, INTAKE_LOST, failure((int)reason, 0, NULL));
}

static void on_left(void *self, MQTTAsync_successData5 *data)
{
    (void)data;
    tell_text(self, INTAKE_LEFT, "");
}

static void on_not_left(void *self, MQTTAsync_failureData5 *data)
{
    (void)data;
    tell_text(self, INTAKE_LEFT, "");
}

/* Whatever it returned, the library would acknowledge: not to return is the only way not to. */
static void stop_for_good(void)
{
    atomic_store(&library_stopped, true);
    for (;;)
        pause();
}

/* Whom to answer. Few messages have that: it costs the others nothing. */
static char *read_response(MQTTProperties *properties, struct mqtt_message *message)
{
    MQTTProperty *property =
        MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_CORRELATION_DATA);
    char *topic = NULL;

    if (property) {
        message->correlation = property->value.data.data;
        message->correlation_size = (size_t)property->value.data.len;
    }
    property = MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
    if (property)
        topic = strndup(property->value.data.data, (size_t)property->value.data.len);
    message->response_topic = topic;
    return topic;
}

static int on_arrived(void *self, char *topic, int topic_length, MQTTAsync_message *from)
{
    struct intake_client *client = self;
    struct mqtt_message message = {.topic = topic,
                                   .payload = from->payload,
                                   .size = (size_t)from->payloadlen,
                                   .qos = from->qos,
                                   .retained = from->retained};
    char *response = from->properties.count > 0 ? read_response(&from->properties, &message) : NULL;

    (void)topic_length;
    atomic_store(&client->busy, true);
    if (client->on_message(client->self, &message) != 0)
        stop_for_good();
    atomic_store(&client->busy, false);
    atomic_fetch_add_explicit(&client->received, 1, memory_order_relaxed);
    free(response);
    MQTTAsync_freeMessage(&from);
    MQTTAsync_free(topic);
    return 1; /* 0 would be acknowledged all the same, and the message parked in the library */
}

static int create(struct intake_client *client)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    MQTTAsync_init_options init = MQTTAsync_init_options_initializer;
    char url[512];
    int error = mqtt_url_for_library(url, sizeof(url), client->options->url);

    if (error)
        return error;
    init.do_openssl_init = 1;
    MQTTAsync_global_init(&init);
    MQTTAsync_setTraceLevel(MQTTASYNC_TRACE_ERROR); /* traces cost a third of the throughput */
    options.MQTTVersion = MQTTVERSION_5;
    if (MQTTAsync_createWithOptions(&client->handle, url, client->options->instance,
                                    MQTTCLIENT_PERSISTENCE_NONE, NULL,
                                    &options) != MQTTASYNC_SUCCESS)
        return -EINVAL;
    if (MQTTAsync_setCallbacks(client->handle, client, on_lost, on_arrived, NULL) != 0 ||
        MQTTAsync_setDisconnected(client->handle, client, on_told_to_leave) != 0)
        return -EINVAL;
    return 0;
}

int intake_client_open(struct intake_client **out, const struct mqtt_options *options,
                       struct inbox *events, intake_client_fn *on_message, void *self)
{
    struct intake_client *client;
    int error;

    if (atomic_load(&library_stopped))
        return -EBUSY;
    client = calloc(1, sizeof(*client));
    if (!client)
        return -ENOMEM;
    client->options = options;
    client->events = events;
    client->on_message = on_message;
    client->self = self;
    error = create(client);
    if (error) {
        intake_client_close(client);
        return error;
    }
    *out = client;
    return 0;
}

bool intake_client_close(struct intake_client *client)
{
    if (!client)
        return true;
    if (atomic_load(&client->busy))
        return false;
    if (client->handle)
        MQTTAsync_destroy(&client->handle);
    free(client);
    return true;
}

static MQTTAsync_SSLOptions tls_options(const struct mqtt_options *options)
{
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

    tls.trustStore = options->ca_file;
    tls.keyStore = options->cert_file;
    tls.privateKey = options->key_file;
    tls.verify = 1; /* off by default: the host name would not be checked */
    tls.disableDefaultTrustStore = options->ca_file != NULL;
    return tls;
}

int intake_client_connect(struct intake_client *client)
{
    const struct mqtt_options *options = client->options;
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_SSLOptions tls = tls_options(options);
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
                           .value.integer4 = (unsigned)(options->session_expiry_ms / 1000)};
    int code;

    MQTTProperties_add(&properties, &expiry);
    connect.keepAliveInterval = (int)((options->keep_alive_ms + 999) / 1000);
    connect.connectTimeout = (int)((options->connect_timeout_ms + 999) / 1000);
    connect.cleanstart = options->session_expiry_ms == 0;
    connect.username = options->username;
    connect.password = options->password;
    connect.connectProperties = &properties;
    connect.ssl = strncmp(options->url, "mqtts:", 6) == 0 ? &tls : NULL;
    connect.onSuccess5 = on_connected;
    connect.onFailure5 = on_failed;
    connect.context = client;
    code = MQTTAsync_connect(client->handle, &connect);
    MQTTProperties_free(&properties);
    return code == MQTTASYNC_SUCCESS ? 0 : -EIO;
}

int intake_client_subscribe(struct intake_client *client, const char *const *filters, int n_filters)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    MQTTSubscribe_options options[FILTERS_MAX];
    char *names[FILTERS_MAX];
    int qos[FILTERS_MAX];

    if (n_filters > FILTERS_MAX)
        return -EIO;
    for (int i = 0; i < n_filters; i++) {
        options[i] = (MQTTSubscribe_options)MQTTSubscribe_options_initializer;
        options[i].retainHandling = 1; /* what is retained: only where the subscription is new */
        names[i] = (char *)(uintptr_t)filters[i];
        qos[i] = 1;
    }
    response.onSuccess5 = on_granted;
    response.onFailure5 = on_failed;
    response.context = client;
    response.subscribeOptions = options[0];
    response.subscribeOptionsList = options;
    response.subscribeOptionsCount = n_filters;
    return MQTTAsync_subscribeMany(client->handle, n_filters, names, qos, &response) ==
                   MQTTASYNC_SUCCESS
               ? 0
               : -EIO;
}

int intake_client_disconnect(struct intake_client *client)
{
    MQTTAsync_disconnectOptions options = MQTTAsync_disconnectOptions_initializer5;

    options.onSuccess5 = on_left;
    options.onFailure5 = on_not_left;
    options.context = client;
    return MQTTAsync_disconnect(client->handle, &options) == MQTTASYNC_SUCCESS ? 0 : -EIO;
}

bool intake_client_busy(const struct intake_client *client)
{
    return atomic_load(&client->busy);
}

bool intake_client_stopped(void)
{
    return atomic_load(&library_stopped);
}

uint64_t intake_client_received(const struct intake_client *client)
{
    return atomic_load_explicit(&client->received, memory_order_relaxed);
}
