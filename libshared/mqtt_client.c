#include "mqtt_client.h"

#include "clock.h"
#include "mqtt_url.h"
#include "nap.h"
#include "nodelay.h"

#include <errno.h>
#include <MQTTClient.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DISCONNECT_TIMEOUT_MS 100
#define LIBRARY_WINDOW                                                         \
    1000 /* above the link's own window: the library sleeps when it is reached \
          */

struct mqtt_client {
    const struct mqtt_options *options;
    struct inbox *orders;
    struct inbox *events;
    MQTTClient handle;
    struct nap nap; /* of the library's thread, in its callbacks */
};

/* Callbacks run on the library's thread and only hand over. */

static void on_lost(void *context, char *cause)
{
    struct mqtt_client *client = context;
    struct mqtt_item *item = mqtt_item_new(MQTT_ITEM_LOST, cause ? cause : "connection lost");
    if (item && inbox_force(client->orders, &item->item) != 0)
        mqtt_item_free(&item->item);
    MQTTClient_free(cause);
}

static void on_published(void *context, int token, int packet_type, MQTTProperties *properties,
                         enum MQTTReasonCodes reason)
{
    (void)packet_type;
    (void)properties;
    struct mqtt_client *client = context;
    struct mqtt_item *item = mqtt_item_new(MQTT_ITEM_ACKED, NULL);
    if (!item)
        return; /* stays in the window and is sent again after the next connect */
    item->token = token;
    item->code = (int)reason;
    if (inbox_force(client->orders, &item->item) != 0)
        mqtt_item_free(&item->item);
}

static char *property_text(const MQTTLenString *string)
{
    return strndup(string->data, (size_t)string->len);
}

static struct mqtt_item *item_of(const char *topic, MQTTClient_message *message)
{
    struct mqtt_message copy = {.topic = topic,
                                .payload = message->payload,
                                .size = (size_t)message->payloadlen,
                                .qos = message->qos,
                                .retained = message->retained};
    MQTTProperties *properties = &message->properties;
    if (MQTTProperties_hasProperty(properties, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL))
        copy.expiry_s = (uint32_t)MQTTProperties_getNumericValue(
            properties, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL);
    char *response = NULL;
    MQTTProperty *property =
        MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_RESPONSE_TOPIC);
    if (property)
        copy.response_topic = response = property_text(&property->value.data);
    property = MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_CORRELATION_DATA);
    if (property) {
        copy.correlation = property->value.data.data;
        copy.correlation_size = (size_t)property->value.data.len;
    }
    struct mqtt_item *item = mqtt_item_of_message(MQTT_ITEM_MESSAGE, &copy);
    free(response);
    return item;
}

/* The library reads a message at a time, and the broker's next one wakes it again: one that sleeps
 * finds many. The library's lock is not held here, so that nobody who publishes waits. */
static void rest(struct nap *nap)
{
    if (nap->length_us > 0 && nap_is_due(nap, clock_now_us()) &&
        nap_is_affordable(nap, clock_thread_us()))
        usleep((useconds_t)nap->length_us);
}

/* `length` is 0 unless the topic holds a NUL, which MQTT 5 forbids. */
static int on_arrived(void *context, char *topic, int length, MQTTClient_message *message)
{
    struct mqtt_client *client = context;
    struct mqtt_item *item = length == 0 ? item_of(topic, message) : NULL;
    if (item && inbox_put(client->events, &item->item) != 0)
        mqtt_item_free(&item->item);
    MQTTClient_freeMessage(&message);
    MQTTClient_free(topic);
    rest(&client->nap);
    return 1;
}

int mqtt_client_open(struct mqtt_client **out, const struct mqtt_options *options,
                     struct inbox *orders, struct inbox *events)
{
    char url[512];
    int error = mqtt_url_for_library(url, sizeof url, options->url);
    if (error != 0)
        return error;
    struct mqtt_client *client = calloc(1, sizeof *client);
    if (!client)
        return -ENOMEM;
    *client = (struct mqtt_client){.options = options,
                                   .orders = orders,
                                   .events = events,
                                   .nap.length_us = 1000 * options->gather_ms};
    MQTTClient_setTraceLevel(MQTTCLIENT_TRACE_ERROR);
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    create.MQTTVersion = MQTTVERSION_5;
    if (MQTTClient_createWithOptions(&client->handle, url, options->instance,
                                     MQTTCLIENT_PERSISTENCE_NONE, NULL, &create) != 0 ||
        MQTTClient_setCallbacks(client->handle, client, on_lost, on_arrived, NULL) != 0 ||
        MQTTClient_setPublished(client->handle, client, on_published) != 0) {
        mqtt_client_close(client);
        return -EINVAL;
    }
    *out = client;
    return 0;
}

void mqtt_client_close(struct mqtt_client *client)
{
    if (!client)
        return;
    MQTTClient_destroy(&client->handle);
    free(client);
}

static void add_number(MQTTProperties *properties, enum MQTTPropertyCodes code, uint32_t number)
{
    MQTTProperty property = {.identifier = code, .value.integer4 = number};
    MQTTProperties_add(properties, &property);
}

static MQTTClient_SSLOptions tls_options(const struct mqtt_options *options)
{
    MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;
    tls.trustStore = options->ca_file;
    tls.keyStore = options->cert_file;
    tls.privateKey = options->key_file;
    tls.verify = 1; /* off by default: the host name would not be checked */
    tls.disableDefaultTrustStore = options->ca_file != NULL;
    return tls;
}

static const char *failure(int code)
{
    if (code == MQTTCLIENT_FAILURE)
        return "no connection: refused, unreachable or no answer";
    const char *text =
        code >= 0 ? MQTTReasonCode_toString((enum MQTTReasonCodes)code) : MQTTClient_strerror(code);
    return text ? text : "no answer";
}

static void read_session(const MQTTResponse *response, const MQTTClient_connectOptions *connect,
                         struct mqtt_client_session *out)
{
    *out = (struct mqtt_client_session){.present = connect->returned.sessionPresent,
                                        .receive_maximum = UINT16_MAX};
    if (response->properties &&
        MQTTProperties_hasProperty(response->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM))
        out->receive_maximum = (unsigned)MQTTProperties_getNumericValue(
            response->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);
}

int mqtt_client_connect(struct mqtt_client *client, const struct mqtt_message *will,
                        struct mqtt_client_session *out, char *error, size_t error_size)
{
    const struct mqtt_options *options = client->options;
    MQTTClient_willOptions will_options = MQTTClient_willOptions_initializer;
    will_options.topicName = will->topic;
    will_options.payload.len = (int)will->size;
    will_options.payload.data = will->payload;
    will_options.qos = will->qos;
    will_options.retained = will->retained;
    MQTTClient_SSLOptions tls = tls_options(options);
    MQTTClient_connectOptions connect = MQTTClient_connectOptions_initializer5;
    connect.keepAliveInterval = (int)((options->keep_alive_ms + 999) / 1000);
    connect.connectTimeout = (int)((options->connect_timeout_ms + 999) / 1000);
    connect.cleanstart = options->session_expiry_ms == 0;
    connect.will = &will_options;
    connect.username = options->username;
    connect.password = options->password;
    connect.reliable = 0;
    connect.maxInflightMessages = LIBRARY_WINDOW;
    connect.ssl = strncmp(options->url, "mqtts:", 6) == 0 ? &tls : NULL;
    MQTTProperties properties = MQTTProperties_initializer;
    add_number(&properties, MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
               (uint32_t)(options->session_expiry_ms / 1000));
    MQTTResponse response = MQTTClient_connect5(client->handle, &connect, &properties, NULL);
    int code = (int)response.reasonCode;
    if (code == 0)
        read_session(&response, &connect, out);
    MQTTProperties_free(&properties);
    MQTTResponse_free(response);
    if (code == 0) {
        nodelay_all();
        return 0;
    }
    snprintf(error, error_size, "%s", failure(code));
    return -ECONNREFUSED;
}

bool mqtt_client_is_connected(struct mqtt_client *client)
{
    return MQTTClient_isConnected(client->handle);
}

void mqtt_client_disconnect(struct mqtt_client *client)
{
    MQTTClient_disconnect5(client->handle, DISCONNECT_TIMEOUT_MS, MQTTREASONCODE_SUCCESS, NULL);
}

/* The library answers with the granted QoS (0 to 2), a reason code (≥ 128) or its own error (< 0).
 */
static int subscription_answer(MQTTResponse response)
{
    int code = (int)response.reasonCode;
    MQTTResponse_free(response);
    return code < 0 ? -ENOTCONN : code >= 128 ? code : 0;
}

int mqtt_client_subscribe(struct mqtt_client *client, const char *filter, unsigned flags)
{
    MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
    if (flags & MQTT_LIVE) {
        options.retainAsPublished = 1;
        options.retainHandling = 2;
    }
    int qos = flags & MQTT_AT_MOST_ONCE ? 0 : 1;
    return subscription_answer(MQTTClient_subscribe5(client->handle, filter, qos, &options, NULL));
}

int mqtt_client_unsubscribe(struct mqtt_client *client, const char *filter)
{
    return subscription_answer(MQTTClient_unsubscribe5(client->handle, filter, NULL));
}

static MQTTLenString len_string(const void *data, size_t size)
{
    return (MQTTLenString){.len = (int)size, .data = (char *)data};
}

static void message_properties(MQTTProperties *out, const struct mqtt_message *message)
{
    if (message->expiry_s)
        add_number(out, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL, message->expiry_s);
    MQTTProperty property = {0};
    if (message->response_topic) {
        property.identifier = MQTTPROPERTY_CODE_RESPONSE_TOPIC;
        property.value.data = len_string(message->response_topic, strlen(message->response_topic));
        MQTTProperties_add(out, &property);
    }
    if (message->correlation) {
        property.identifier = MQTTPROPERTY_CODE_CORRELATION_DATA;
        property.value.data = len_string(message->correlation, message->correlation_size);
        MQTTProperties_add(out, &property);
    }
}

int mqtt_client_publish(struct mqtt_client *client, const struct mqtt_item *item, int *token)
{
    const struct mqtt_message *message = &item->message;
    MQTTProperties properties = MQTTProperties_initializer;
    message_properties(&properties, message);
    MQTTClient_deliveryToken delivery = -1;
    MQTTResponse response =
        MQTTClient_publish5(client->handle, message->topic, (int)message->size, message->payload,
                            message->qos, message->retained, &properties, &delivery);
    int code = (int)response.reasonCode;
    MQTTResponse_free(response);
    MQTTProperties_free(&properties);
    *token = message->qos > 0 ? delivery : -1;
    if (code == MQTTCLIENT_SUCCESS)
        return 0;
    return code == MQTTCLIENT_BAD_UTF8_STRING || code == MQTTCLIENT_BAD_QOS ? -EINVAL : -ENOTCONN;
}

const char *mqtt_client_reason(int code)
{
    return failure(code);
}
