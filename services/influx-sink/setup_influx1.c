#include "influxql.h"
#include "setup_session.h"
#include "store_url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HOURLY "hourly"
#define QUERY "fieldline_hourly"

static int ask(struct setup_session *session, struct buffer *query)
{
    int error;

    buffer_clear(&session->url);
    buffer_clear(&session->body);
    store_url_begin(&session->url, session->target, "/query");
    store_url_parameter(&session->url, '?', "q", buffer_string(query));
    error = query->failed || session->url.failed ? -ENOMEM : setup_send(session, "POST");
    if (!error)
        printf("%s\n", buffer_string(query));
    buffer_clear(query);
    return error;
}

static void policy(struct setup_session *session, struct buffer *query, const char *verb,
                   const char *name, int64_t keep_ms)
{
    buffer_format(query, "%s RETENTION POLICY ", verb);
    influxql_identifier(query, name);
    buffer_text(query, " ON ");
    influxql_identifier(query, session->target->database);
    if (keep_ms > 0)
        buffer_format(query, " DURATION %llds", (long long)(keep_ms / 1000));
    else
        buffer_text(query, " DURATION INF");
    buffer_text(query, " REPLICATION 1");
}

/* CREATE is refused where a policy of that name has other attributes: then they are changed. */
static int make_policy(struct setup_session *session, struct buffer *query, const char *name,
                       int64_t keep_ms)
{
    int error;

    policy(session, query, "CREATE", name, keep_ms);
    error = ask(session, query);
    if (error != -EREMOTEIO || !strstr(session->error, "already exists"))
        return error;
    policy(session, query, "ALTER", name, keep_ms);
    return ask(session, query);
}

static void put_place(struct buffer *query, const char *database, const char *name)
{
    influxql_identifier(query, database);
    buffer_char(query, '.');
    influxql_identifier(query, name);
}

static void continuous_query(struct setup_session *session, struct buffer *query, const char *raw)
{
    const char *database = session->target->database;

    buffer_text(query, "CREATE CONTINUOUS QUERY " QUERY " ON ");
    influxql_identifier(query, database);
    buffer_text(query, " RESAMPLE EVERY 30m FOR 3h BEGIN SELECT mean(*) INTO ");
    put_place(query, database, HOURLY);
    buffer_text(query, ".:MEASUREMENT FROM ");
    put_place(query, database, raw);
    buffer_text(query, "./.*/ GROUP BY time(1h), * END");
}

static int make_continuous_query(struct setup_session *session, struct buffer *query,
                                 const char *raw)
{
    int error;

    continuous_query(session, query, raw);
    error = ask(session, query);
    if (error != -EREMOTEIO || !strstr(session->error, "already exists"))
        return error;
    buffer_text(query, "DROP CONTINUOUS QUERY " QUERY " ON "); /* another one by that name */
    influxql_identifier(query, session->target->database);
    error = ask(session, query);
    continuous_query(session, query, raw);
    return error ? error : ask(session, query);
}

int setup_influx1(struct setup_session *session)
{
    const char *named = session->target->retention_policy;
    const char *raw = named && named[0] ? named : "autogen";
    struct buffer query = {0};
    int error;

    buffer_text(&query, "CREATE DATABASE ");
    influxql_identifier(&query, session->target->database);
    error = ask(session, &query);
    if (!error)
        error = make_policy(session, &query, raw, session->retention_ms);
    if (!error)
        error = make_policy(session, &query, HOURLY, 0);
    if (!error)
        error = make_continuous_query(session, &query, raw);
    buffer_free(&query);
    return error;
}
