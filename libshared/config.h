/* Strict configuration: one JSON file (comments allowed), read by asking for what is meant.
 *
 * Each reader below marks its key as known, returns the value or the fall-back, and records a
 * problem with its path where the value is wrong. After all was asked for, config_check() adds a
 * problem for every key that nobody asked for, with the nearest one that somebody did. What was
 * asked for is at the same time the effective configuration that config_print() shows, secrets
 * masked.
 *
 *     struct config_node *root = config_root(config);
 *     struct config_node *mqtt = config_object(root, "mqtt");
 *     settings->url = config_string(mqtt, "url", "mqtt://localhost:1883");
 *     settings->keep_alive_ms = config_duration(mqtt, "keep_alive", 30000, 1000, 3600000);
 *     …
 *     if (!config_check(config)) config_report(config, stderr);
 *
 * Nodes and strings are borrowed and live until config_close(). Readers take a NULL node as empty.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "value.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct config;
struct config_node;

/* Reads and parses the file; what is wrong with it (absent, not JSON, with line) is a problem like
 * any other. Returns 0 or -ENOMEM. */
int config_open(struct config **out, const char *path);
int config_open_text(struct config **out, const char *name, const char *text);
void config_close(struct config *config);

struct config_node *config_root(struct config *config); /* an object, empty where the file is bad */
bool config_check(struct config *config);               /* true where there is no problem at all */
void config_report(const struct config *config,
                   FILE *out);                            /* "path: what is wrong, what is meant" */
int config_print(const struct config *config, FILE *out); /* effective; 0 or -errno */

/* Frees what is below a key of the root, for what is large and was read: nodes and strings of it
 * end. Only after config_check(); it is no longer printed. */
void config_forget(struct config *config, const char *key);

/* Puts `text` in place of what the file says at section.key: for what the environment overrides. To
 * be called before that section is read. Returns 0 or -ENOMEM. */
int config_override(struct config *config, const char *section, const char *key, const char *text);

/* Structure. An absent object or array reads as an empty one. */
struct config_node *config_object(struct config_node *node, const char *key);
struct config_node *config_array(struct config_node *node,
                                 const char *key);    /* of objects or scalars */
size_t config_length(const struct config_node *node); /* elements, or members of an object */
struct config_node *config_item(struct config_node *node,
                                size_t index); /* of an array: an object */
/* An object used as a map: the key at `index` in file order; the caller then reads that key. */
const char *config_key(const struct config_node *node, size_t index);
bool config_has(const struct config_node *node, const char *key);
/* What stands at the key, or where it is NULL at the index of an array; for what is taken over as
 * it is. */
enum config_kind { CONFIG_ABSENT, CONFIG_SCALAR, CONFIG_OBJECT, CONFIG_ARRAY };
enum config_kind config_kind(const struct config_node *node, const char *key, size_t index);
/* Tells contents apart: hash_text() of what the file says there, begun with `seed`. */
uint64_t config_digest(uint64_t seed, const struct config_node *node);
/* The same for what it means: whatever the order of its keys, and leaving out those that `without`
 * names (NULL at the end) of the object itself. */
uint64_t config_meaning(const struct config_node *node, const char *const *without);
const char *config_name(const struct config_node *node); /* of the file, as config_open() had it */
const char *config_path(const struct config_node *node); /* "devices[2].points[0]" */

/* Scalars. Bounds are inclusive. */
const char *config_string(struct config_node *node, const char *key, const char *fallback);
const char *config_require_string(struct config_node *node, const char *key); /* "" where absent */
const char *config_require_name(struct config_node *node,
                                const char *key); /* topic_name_valid, not
                                                     reserved; "" if not */
bool config_bool(struct config_node *node, const char *key, bool fallback);
int64_t config_integer(struct config_node *node, const char *key, int64_t fallback, int64_t min,
                       int64_t max);
int64_t config_require_integer(struct config_node *node, const char *key, int64_t min, int64_t max);
double config_number(struct config_node *node, const char *key, double fallback);
double config_require_number(struct config_node *node, const char *key);
int64_t config_duration(struct config_node *node, const char *key, int64_t fallback_ms,
                        int64_t min_ms, int64_t max_ms); /* "250ms" "5s" "2m" "1h" "7d" → ms */
int64_t config_size(struct config_node *node, const char *key, int64_t fallback, int64_t min,
                    int64_t max); /* "512" "64KiB" "64MiB" "2GiB" → bytes */
/* Index into `names` (NULL at the end); the problem lists them all. */
int config_choice(struct config_node *node, const char *key, const char *const *names,
                  int fallback);
int config_require_choice(struct config_node *node, const char *key, const char *const *names);
struct value config_value(struct config_node *node, const char *key); /* VALUE_NONE where absent */
/* The first line of the file that `key` names; NULL where the key is absent. Masked when printed.
 */
const char *config_secret_file(struct config_node *node, const char *key);
/* The name of the file that config_secret_file() has read, to look whether it changes. */
const char *config_secret_path(struct config_node *node, const char *key);
/* A string whose user:password@ part, if any, is masked when printed. */
const char *config_url(struct config_node *node, const char *key, const char *fallback);

/* Scalars of an array node. */
const char *config_string_at(struct config_node *array, size_t index);
double config_number_at(struct config_node *array, size_t index);

/* A problem that only the caller can see. `key` may be NULL: the node itself. */
void config_problem(struct config_node *node, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
