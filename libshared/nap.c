#include "nap.h"

bool nap_is_due(struct nap *nap, int64_t now_us)
{
    bool close = now_us - nap->last_us < nap->length_us;
    nap->last_us = now_us;
    return close && now_us - nap->awake_us >= nap->length_us;
}

bool nap_is_affordable(struct nap *nap, int64_t worked_us)
{
    bool affordable = 8 * (worked_us - nap->worked_us) <= 7 * (nap->last_us - nap->awake_us);
    nap->awake_us = nap->last_us + (affordable ? nap->length_us : 0);
    nap->worked_us = worked_us;
    return affordable;
}
