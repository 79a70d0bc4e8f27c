#include "carrier.h"

const struct carrier_kind *carrier_kind(enum channel_type type)
{
    switch (type) {
    case CHANNEL_LOG:
    case CHANNEL_MQTT:
        return NULL;
    case CHANNEL_MAIL:
        return &carrier_mail;
    case CHANNEL_COMMAND:
        return &carrier_command;
    default:
        return &carrier_http;
    }
}

void parcel_free(struct parcel *parcel)
{
    buffer_free(&parcel->headers);
    buffer_free(&parcel->body);
    buffer_free(&parcel->html);
}
