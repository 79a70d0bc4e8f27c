/* --setup ADMIN_FILE: makes what the sink needs in each InfluxDB target, and finds it there the
 * next time: database or bucket with its retention, and hourly means of everything in a second one.
 *
 * 1.x  CREATE DATABASE; retention of its policy ("autogen" or retention_policy); policy "hourly"
 * for ever; continuous query "fieldline_hourly" (InfluxDB 1.x documentation, "Database management"
 * and "Continuous Queries"). ADMIN_FILE holds user:password, or nothing. 2.x  /api/v2/orgs, buckets
 * and tasks (InfluxDB 2 API): bucket, bucket "<bucket>_hourly", task "fieldline_hourly". ADMIN_FILE
 * holds a token that may do that. The file is read for this call only.
 *
 * With `make_tokens`, of 2.x also a token that may only write to the bucket, into the target's
 * "token_file", and one that may only read it into that of "query", unless the tokens there are
 * such ones already (/api/v2/authorizations). */
#ifndef SETUP_H
#define SETUP_H

#include "settings.h"

/* Prints what it finds and makes; returns the exit code. */
int setup_run(const struct settings *settings, const char *admin_file, bool make_tokens);

#endif
