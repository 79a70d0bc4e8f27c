#include "mapping.h"

#include "number.h"

#include <string.h>

/* Keys are texts: "21.5" is a number where the actuator takes numbers. */
static const char *read_name(const char *key, const struct actuator_settings *actuator,
                             struct value *out)
{
    struct value from = value_text(key);
    double number;

    if (actuator->type == ACTUATOR_NUMBER && number_parse(key, strlen(key), &number) == 0)
        from = value_number(number);
    return actuator_convert(actuator, &from, out);
}

void mapping_configure(struct mapping *out, struct config_node *node,
                       const struct actuator_settings *actuator)
{
    struct config_node *values = config_object(node, "values");
    size_t n = config_length(values);

    memset(out, 0, sizeof *out);
    if (n > MAPPING_MAX)
        config_problem(values, NULL, "has %zu names; at most %d are possible", n, MAPPING_MAX);
    for (size_t i = 0; i < n && i < MAPPING_MAX; i++) {
        const char *key = config_key(values, i);

        out->saids[i] = config_require_string(values, key);
        if (read_name(key, actuator, &out->names[i]) != NULL)
            config_problem(values, key, "is no value that \"%s\" takes", actuator->name);
        for (size_t j = 0; j < i; j++)
            if (value_equal(&out->names[i], &out->names[j]))
                config_problem(values, key, "is a value that is named already");
        out->n++;
    }
}

struct value mapping_say(const struct mapping *mapping, const struct value *value)
{
    if (mapping->n == 0)
        return *value;
    for (size_t i = 0; i < mapping->n; i++)
        if (value_equal(&mapping->names[i], value))
            return value_text(mapping->saids[i]);
    return (struct value){.type = VALUE_NONE};
}

struct value mapping_hear(const struct mapping *mapping, const struct value *said)
{
    char number[NUMBER_SIZE];
    const char *text = said->text;

    if (said->type == VALUE_NUMBER) {
        number_format(number, said->number);
        text = number;
    } else if (said->type != VALUE_TEXT) {
        return *said;
    }
    for (size_t i = 0; i < mapping->n; i++)
        if (strcmp(mapping->saids[i], text) == 0)
            return mapping->names[i];
    return *said;
}
