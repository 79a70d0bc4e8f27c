/* Inside the settings: what settings.c and settings_actions.c read together. */
#ifndef SETTINGS_PARTS_H
#define SETTINGS_PARTS_H

#include "settings.h"

/* Compiles the expression at `key`; NULL and a problem where it is wrong. 0 or -ENOMEM. */
int settings_expression(struct expression **out, struct config_node *node, const char *key,
                        enum expression_type type, struct expression_references *references);

/* An object of "name": "expression" at "values". 0 or -ENOMEM. */
int settings_values(struct derived_value **out, size_t *n, struct config_node *node,
                    struct expression_references *references);
void settings_free_values(struct derived_value *values, size_t n);

/* The actions at `key`. 0 or -ENOMEM. */
int settings_actions(struct actions *out, struct config_node *node, const char *key,
                     struct expression_references *references);
void settings_free_actions(struct actions *actions);

/* Which actuator a command is for, and how it is given. */
void settings_target(struct action *out, struct config_node *node);

/* The message at `message`, or `fallback`. 0 or -ENOMEM. */
int settings_message(struct rule *out, struct config_node *node, const char *fallback);

/* "on_off" or "pid" of a rule. 0 or -ENOMEM. */
int settings_control(struct rule *rule, struct config_node *node);
void settings_free_control(struct control *control);

/* The watch over a control that has "alert": takes the alert and its timing over, and borrows its
 * hours. 0 or -ENOMEM. */
int settings_watch(struct rule *out, struct rule *control, struct config_node *node);

#endif
