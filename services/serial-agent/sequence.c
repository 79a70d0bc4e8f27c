#include "sequence.h"

#include "number.h"

#include <string.h>

static bool read_number(const struct value *from, uint64_t modulo, uint64_t *out)
{
    double number = -1;

    if (from->type == VALUE_NUMBER)
        number = from->number;
    else if (from->type == VALUE_TEXT && number_parse(from->text, strlen(from->text), &number) != 0)
        return false;
    if (!(number >= 0) || number >= (double)modulo)
        return false;
    *out = (uint64_t)number;
    return (double)*out == number;
}

void sequence_note(struct sequence *sequence, const struct value *value)
{
    uint64_t number;
    uint64_t step;

    if (!read_number(value, sequence->modulo, &number)) {
        sequence->unread++;
        return;
    }
    step = (number + sequence->modulo - sequence->last) % sequence->modulo;
    if (!sequence->begun)
        sequence->begun = true;
    else if (step == 0)
        sequence->repeated++;
    else if (step > sequence->modulo / 2)
        sequence->restarts++;
    else
        sequence->missed += step - 1;
    sequence->last = number;
}
