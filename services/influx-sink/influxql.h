/* Texts of InfluxQL: "Influx Query Language (InfluxQL) reference" of InfluxDB 1.x, sections
 * Identifiers and Strings; 2.x and 3.x take the same. Pure.
 *
 * Whatever bytes come in, what is appended is one token, from its first quote to its last. */
#ifndef INFLUXQL_H
#define INFLUXQL_H

#include "buffer.h"

void influxql_identifier(struct buffer *out, const char *name); /* "name" */
void influxql_string(struct buffer *out, const char *text);     /* 'text' */

/* A time span or a time since 1970, as a literal: 1500ms */
void influxql_ms(struct buffer *out, long long ms);

#endif
