#include "resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct resolve {
    struct gaicb request;
    struct addrinfo hints;
    char *host;
    char *port;
};

static void resolve_free(struct resolve *resolve)
{
    if (resolve->request.ar_result)
        freeaddrinfo(resolve->request.ar_result);
    free(resolve->host);
    free(resolve->port);
    free(resolve);
}

int resolve_open(struct resolve **out, const char *host, const char *port)
{
    struct resolve *resolve = calloc(1, sizeof *resolve);
    struct gaicb *list[1];

    if (!resolve)
        return -ENOMEM;
    resolve->host = strdup(host);
    resolve->port = strdup(port);
    resolve->hints = (struct addrinfo){.ai_socktype = SOCK_STREAM};
    resolve->request = (struct gaicb){
        .ar_name = resolve->host, .ar_service = resolve->port, .ar_request = &resolve->hints};
    list[0] = &resolve->request;
    if (!resolve->host || !resolve->port || getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
        resolve_free(resolve);
        return -EAGAIN;
    }
    *out = resolve;
    return 0;
}

void resolve_close(struct resolve *resolve)
{
    if (!resolve)
        return;
    if (gai_error(&resolve->request) != EAI_INPROGRESS ||
        gai_cancel(&resolve->request) == EAI_CANCELED)
        resolve_free(resolve);
}

int resolve_result(struct resolve *resolve, const struct addrinfo **out)
{
    int error = gai_error(&resolve->request);

    if (error == EAI_INPROGRESS)
        return -EINPROGRESS;
    if (error != 0 || !resolve->request.ar_result)
        return -EHOSTUNREACH;
    *out = resolve->request.ar_result;
    return 0;
}
