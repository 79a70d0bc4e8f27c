#include "turns.h"

bool turns_is_new(const struct turns *turns, int64_t now_ms)
{
    return now_ms >= turns->new_due_ms && turns->n_new < TURNS_NEW_MAX;
}

void turns_took_new(struct turns *turns, int64_t due_ms)
{
    turns->n_new++;
    turns->new_due_ms = due_ms;
}

void turns_took_old(struct turns *turns)
{
    turns->n_new = 0;
}
