/* The configuration's tree: the one file that knows the JSON library. What it offers to the rest of
 * config*.c; not for anybody else. */
#ifndef CONFIG_TREE_H
#define CONFIG_TREE_H

#include "config.h"
#include "config_strings.h"

struct config {
    char *name;
    struct config_node *root;
    struct config_strings problems;
    struct config_strings kept; /* strings that live as long as the configuration */
    bool checked;
    bool no_memory;
};

/* An empty root, broken until it is given a document. NULL: no memory. */
struct config_node *config_tree_open(struct config *config);
void config_tree_close(struct config_node *root); /* all nodes; NULL is ignored */

/* Gives it a document: strict JSON, an object. Returns 0, or -ENOMEM or -EBADMSG with a sentence in
 * `error`. */
int config_tree_parse(struct config_node *root, const char *text, size_t size, char *error,
                      size_t error_size);

/* Records a problem for each key that nobody asked for. */
void config_tree_check(struct config_node *root);

void config_tree_forget(struct config_node *root, const char *key);

/* A place in the tree: a key of an object or, where `key` is NULL, an element of an array. */
struct config_slot {
    struct config_node *node; /* NULL and broken ones read as empty */
    const char *key;
    size_t index;
};

struct config_want {
    enum value_type type; /* VALUE_NONE: any scalar */
    const char *what;     /* for people: "a string" */
    bool required;
};

/* The scalar there, text borrowed from the configuration. VALUE_NONE where it is absent or null;
 * also, and then the problem is recorded, where it is of another type or absent though required. */
struct value config_slot_take(struct config_slot slot, const struct config_want *want);

/* Marks the slot as known and tells what is in effect there, copied. VALUE_NONE is null. */
void config_slot_record(struct config_slot slot, struct value effective);

void config_slot_problem(struct config_slot slot, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Takes ownership of a string from malloc(), which then lives as long as the configuration and is
 * wiped with it. Returns it, or NULL where there was no memory. */
const char *config_keep(struct config_node *node, char *text);

#endif
