#include "answer.h"

#include "settings.h"

#include <stdlib.h>
#include <string.h>

struct answer *answer_new(enum answer_kind kind, size_t n_results, size_t n_cells)
{
    size_t size = sizeof(struct answer) + n_results * sizeof(int) + n_cells * sizeof(uint16_t);
    struct answer *answer = calloc(1, size);

    if (!answer)
        return NULL;
    answer->item.size = size;
    answer->kind = kind;
    answer->results = (int *)(answer + 1);
    answer->cells = (uint16_t *)(answer->results + n_results);
    return answer;
}

struct answer *answer_new_write(enum answer_kind kind, size_t unit, size_t index)
{
    struct answer *answer = answer_new(kind, 0, OUTPUT_CELLS_MAX);

    if (!answer)
        return NULL;
    answer->unit = unit;
    answer->index = index;
    answer->result = WRITE_REFUSED;
    return answer;
}

struct answer *answer_new_holes(const struct holes *holes)
{
    size_t size = sizeof(struct answer) + holes->n * sizeof(struct span);
    struct answer *answer = calloc(1, size);

    if (!answer)
        return NULL;
    answer->item.size = size;
    answer->kind = ANSWER_HOLES;
    answer->holes = (struct holes){(struct span *)(answer + 1), holes->n};
    if (holes->n)
        memcpy(answer->holes.items, holes->items, holes->n * sizeof(struct span));
    return answer;
}

const char *write_explanation(const struct answer *answer)
{
    static const char *const exceptions[] = {
        [1] = "the unit knows no such function",       [2] = "the unit has no such address",
        [3] = "the unit does not take this value",     [4] = "the unit failed in doing it",
        [5] = "the unit has not finished doing it",    [6] = "the unit is busy",
        [8] = "the unit found its memory damaged",     [10] = "the gateway has no way to the unit",
        [11] = "the unit does not answer the gateway",
    };

    int result = answer->result;

    if (answer->unanswered && answer->has_cells)
        return result == 0 ? "no answer to the write, but read back as wanted"
                           : "no answer to the write, and not read back as wanted";
    if (result == WRITE_EXPIRED)
        return "waited too long for its turn on the bus";
    if (result == WRITE_DIFFERENT)
        return "something else was read back than was written";
    if (result <= 0 || (size_t)result >= sizeof exceptions / sizeof exceptions[0])
        return NULL;
    return exceptions[result];
}
