#include "probe_entry.h"

#include "guess.h"
#include "jsonw.h"

#include <stdio.h>

/* "key": "text", and the comma behind it. */
static void write_text(struct buffer *out, const char *key, const char *text)
{
    struct jsonw w = jsonw_start(out);

    buffer_format(out, "      \"%s\": ", key);
    jsonw_text(&w, NULL, text);
    buffer_text(out, ",\n");
}

static void write_point(struct buffer *out, size_t number, const struct probe_choice *choice)
{
    const char *order = guess_order(&choice->encoding);
    struct jsonw w = jsonw_start(out);
    char name[32];

    snprintf(name, sizeof name, "value_%zu", number);
    jsonw_object_begin(&w, NULL);
    jsonw_text(&w, "name", name);
    jsonw_text(&w, "table", table_names[choice->span.table]);
    jsonw_integer(&w, "address", choice->span.address);
    jsonw_text(&w, "type", data_type_names[choice->encoding.type]);
    if (order)
        jsonw_text(&w, "order", order);
    else
        jsonw_text(&w, "byte", choice->encoding.high_byte ? "high" : "low");
    if (choice->divide != 1)
        jsonw_number(&w, "divide", choice->divide);
    jsonw_object_end(&w);
}

/* Returns how many of the choices the unit has. */
static size_t write_device(struct buffer *out, const struct probe_choice *choices, size_t n)
{
    unsigned unit = choices->unit;
    size_t i = 0;

    buffer_format(out,
                  "        {\"unit\": %u, \"location\": \"probed\", \"device\": \"unit_%u\", "
                  "\"groups\": [\n"
                  "          {\"measurement\": \"probed\", \"period\": \"1s\", \"points\": [",
                  unit, unit);
    for (; i < n && choices[i].unit == unit; i++) {
        buffer_text(out, i ? ",\n            " : "\n            ");
        write_point(out, i + 1, &choices[i]);
    }
    buffer_text(out, "]}\n        ]}");
    return i;
}

void probe_entry_write(struct buffer *out, const struct bus_settings *bus,
                       const struct probe_choice *choices, size_t n)
{
    buffer_text(out, "{\n  \"buses\": [\n    {\n");
    write_text(out, "url", bus->url);
    if (bus->endpoint.tls) {
        write_text(out, "ca_file", bus->tls.ca_file);
        write_text(out, "cert_file", bus->tls.cert_file);
        write_text(out, "key_file", bus->tls.key_file);
        write_text(out, "server_name", bus->tls.server_name);
    }
    buffer_text(out, "      \"devices\": [\n");
    for (size_t i = 0; i < n;) {
        i += write_device(out, choices + i, n - i);
        buffer_text(out, i < n ? ",\n" : "\n");
    }
    buffer_text(out, "      ]\n    }\n  ]\n}\n");
}
