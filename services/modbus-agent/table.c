#include "table.h"

#include <stddef.h>

const char *const table_names[] = {"coil", "discrete", "input", "holding", NULL};
