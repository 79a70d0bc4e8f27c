/* Posts to a URL. */
#ifndef CARRIER_HTTP_H
#define CARRIER_HTTP_H

#include "carrier.h"
#include "http.h"

/* What http_send() came to: 2xx delivers; 408, 425, 429 and 5xx and no answer at all are tried
 * again; the rest, redirects too, is refused. Pure. */
void carrier_http_judge(struct carrier_result *out, int rc, const struct http_answer *answer);

#endif
