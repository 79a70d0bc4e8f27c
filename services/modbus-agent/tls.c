#include "tls.h"

#include "clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ROLE_OID "1.3.6.1.4.1.50316.802.1"
#define WORD_SIZE 48 /* of a role or a name as it is logged; longer ones are cut */
#define CHUNK 4096
#define ALERT 1000 /* OpenSSL's reasons above are the other side's alerts (RFC 8446, section 6) */
#define VERDICT_MS 20

/* Bytes on their way from one side to the other. */
struct cargo {
    char bytes[CHUNK];
    size_t first;
    size_t n;
};

struct tls {
    SSL *ssl;
    int wire;  /* owned: the TCP connection */
    int plain; /* owned: our end of the pair */
    pthread_t thread;
    bool running;
    struct cargo out; /* the thread's alone */
    struct cargo in;
    char about[192];
};

const char *tls_about(const struct tls *tls)
{
    return tls->about;
}

/* What to set up -------------------------------------------------------------------------------*/

/* What came first is the cause: after it OpenSSL says only which of its parts failed over it. */
static int refuse(char *error, size_t size, const char *what, const char *file)
{
    unsigned long code = ERR_peek_error();
    const char *why =
        ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code)) : ERR_reason_error_string(code);

    snprintf(error, size, "%s %s: %s", what, file, why ? why : strerror(EINVAL));
    return -EPROTO;
}

static int load_files(SSL_CTX *context, const struct tls_options *options, char *error, size_t size)
{
    ERR_clear_error();
    if (SSL_CTX_load_verify_locations(context, options->ca_file, NULL) != 1)
        return refuse(error, size, "ca_file", options->ca_file);
    if (SSL_CTX_use_certificate_chain_file(context, options->cert_file) != 1)
        return refuse(error, size, "cert_file", options->cert_file);
    if (SSL_CTX_use_PrivateKey_file(context, options->key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1)
        return refuse(error, size, "key_file", options->key_file);
    return 0;
}

/* The server must be who we mean. */
static int expect_server(SSL *ssl, const char *name)
{
    unsigned char address[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1 ? 0 : -EINVAL;
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1 ? 0 : -EINVAL;
}

static int set_up(struct tls *tls, const struct tls_options *options, char *error, size_t size)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    int rc;

    if (!context)
        return -ENOMEM;
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(context, 1); /* a record in one system call, not in two */
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    rc = load_files(context, options, error, size);
    if (rc == 0)
        tls->ssl = SSL_new(context);
    SSL_CTX_free(context); /* the connection has a reference of its own */
    if (rc != 0)
        return rc;
    if (!tls->ssl || SSL_set_fd(tls->ssl, tls->wire) != 1 ||
        expect_server(tls->ssl, options->server_name) != 0)
        return -ENOMEM;
    return 0;
}

/* Who they are ---------------------------------------------------------------------------------*/

/* For the log, between quotes. */
static void make_printable(char *text)
{
    for (char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e || *c == '"')
            *c = '?';
}

/* The role in a certificate; "none". */
static void read_role(char out[WORD_SIZE], X509 *certificate)
{
    ASN1_OBJECT *oid = OBJ_txt2obj(ROLE_OID, 1);
    int at = certificate && oid ? X509_get_ext_by_OBJ(certificate, oid, -1) : -1;
    ASN1_OCTET_STRING *data =
        at >= 0 ? X509_EXTENSION_get_data(X509_get_ext(certificate, at)) : NULL;
    const unsigned char *der = data ? ASN1_STRING_get0_data(data) : NULL;
    ASN1_UTF8STRING *role = data ? d2i_ASN1_UTF8STRING(NULL, &der, ASN1_STRING_length(data)) : NULL;

    snprintf(out, WORD_SIZE, "%s", data ? "unreadable" : "none");
    if (role)
        snprintf(out, WORD_SIZE, "%.*s", ASN1_STRING_length(role),
                 (const char *)ASN1_STRING_get0_data(role));
    make_printable(out);
    ASN1_UTF8STRING_free(role);
    ASN1_OBJECT_free(oid);
}

static void describe(struct tls *tls)
{
    X509 *peer = SSL_get1_peer_certificate(tls->ssl);
    char name[WORD_SIZE] = "";
    char theirs[WORD_SIZE];
    char ours[WORD_SIZE];

    if (peer)
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name, sizeof name);
    make_printable(name);
    read_role(theirs, peer);
    read_role(ours, SSL_get_certificate(tls->ssl));
    snprintf(tls->about, sizeof tls->about,
             "version=%s own_role=\"%s\" peer_role=\"%s\" peer=\"%.32s\"",
             SSL_get_version(tls->ssl), ours, theirs, name);
    X509_free(peer);
}

/* The handshake --------------------------------------------------------------------------------*/

/* Why the handshake ended, in a sentence. */
static int explain(const struct tls *tls, const char *name, char *error, size_t size)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(code);
    long verdict = SSL_get_verify_result(tls->ssl);

    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        snprintf(error, size, "the server's certificate is not for %s", name);
    else if (verdict != X509_V_OK)
        snprintf(error, size, "the server's certificate is not accepted: %s",
                 X509_verify_cert_error_string(verdict));
    else if (ERR_GET_REASON(code) > ALERT)
        snprintf(error, size, "the server refuses us or our certificate: %s", reason);
    else if (ERR_GET_REASON(code) == SSL_R_WRONG_VERSION_NUMBER)
        snprintf(error, size, "what answers there speaks no TLS");
    else
        snprintf(error, size, "TLS failed: %s", reason ? reason : "the server hung up");
    return -EPROTO;
}

/* Waits for what OpenSSL waits for. Returns > 0 where it is there, 0 after the time. */
static int await(const struct tls *tls, int rc, int64_t end_ms)
{
    struct pollfd wire = {.fd = tls->wire, .events = POLLIN};
    int64_t left_ms = end_ms - clock_now_ms();

    if (SSL_get_error(tls->ssl, rc) == SSL_ERROR_WANT_WRITE)
        wire.events = POLLOUT;
    return poll(&wire, 1, left_ms > 0 ? (int)left_ms : 0);
}

static bool waits(const struct tls *tls, int rc)
{
    int why = SSL_get_error(tls->ssl, rc);

    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

/* In TLS 1.3 the client is done before the server has looked at its certificate. What comes next
 * tells: an alert, or tickets or data where all is well; a server that sends none is waited for as
 * long as the handshake took. */
static int await_verdict(struct tls *tls, int64_t end_ms)
{
    char byte;
    int rc;

    ERR_clear_error();
    rc = SSL_peek(tls->ssl, &byte, 1);
    if (rc > 0 || (waits(tls, rc) && await(tls, rc, end_ms) <= 0))
        return 0;
    if (waits(tls, rc)) {
        ERR_clear_error();
        rc = SSL_peek(tls->ssl, &byte, 1);
    }
    return rc > 0 || waits(tls, rc) ? 0 : -EPROTO;
}

static int shake_hands(struct tls *tls, const char *name, int64_t timeout_ms, char *error,
                       size_t size)
{
    int64_t begun_ms = clock_now_ms();
    int rc;

    for (;;) {
        ERR_clear_error();
        rc = SSL_connect(tls->ssl);
        if (rc == 1)
            break;
        if (!waits(tls, rc))
            return explain(tls, name, error, size);
        if (await(tls, rc, begun_ms + timeout_ms) == 0) {
            snprintf(error, size, "no TLS within %lld ms", (long long)timeout_ms);
            return -ETIMEDOUT;
        }
    }
    int64_t now_ms = clock_now_ms();

    if (SSL_version(tls->ssl) > TLS1_2_VERSION &&
        await_verdict(tls, now_ms + (now_ms - begun_ms) + VERDICT_MS) != 0)
        return explain(tls, name, error, size);
    return 0;
}

/* The thread -----------------------------------------------------------------------------------*/

/* Each carries as far as it goes without waiting and adds what it waits for. False: that side has
 * ended. */
static bool carry_out(struct tls *tls, struct pollfd *plain, struct pollfd *wire)
{
    struct cargo *cargo = &tls->out;

    for (;;) {
        if (cargo->n == 0) {
            ssize_t n = recv(tls->plain, cargo->bytes, CHUNK, 0);

            if (n <= 0) {
                plain->events |= POLLIN;
                return n < 0 && (errno == EAGAIN || errno == EINTR);
            }
            cargo->first = 0;
            cargo->n = (size_t)n;
        }
        ERR_clear_error();
        int n = SSL_write(tls->ssl, cargo->bytes + cargo->first, (int)cargo->n);

        if (n <= 0) {
            wire->events |= SSL_get_error(tls->ssl, n) == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
            return waits(tls, n);
        }
        cargo->first += (size_t)n;
        cargo->n -= (size_t)n;
    }
}

static bool carry_in(struct tls *tls, struct pollfd *plain, struct pollfd *wire)
{
    struct cargo *cargo = &tls->in;

    for (;;) {
        if (cargo->n == 0) {
            ERR_clear_error();
            int n = SSL_read(tls->ssl, cargo->bytes, CHUNK);

            if (n <= 0) {
                wire->events |=
                    SSL_get_error(tls->ssl, n) == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
                return waits(tls, n);
            }
            cargo->first = 0;
            cargo->n = (size_t)n;
        }
        ssize_t n = send(tls->plain, cargo->bytes + cargo->first, cargo->n, MSG_NOSIGNAL);

        if (n <= 0) {
            plain->events |= POLLOUT;
            return n < 0 && (errno == EAGAIN || errno == EINTR);
        }
        cargo->first += (size_t)n;
        cargo->n -= (size_t)n;
    }
}

/* Ends when one of the two sides does, and tells both. */
static void *carry(void *self)
{
    struct tls *tls = self;
    struct pollfd fds[2];

    for (;;) {
        fds[0] = (struct pollfd){.fd = tls->plain};
        fds[1] = (struct pollfd){.fd = tls->wire};
        if (!carry_out(tls, &fds[0], &fds[1]) || !carry_in(tls, &fds[0], &fds[1]))
            break;
        if (fds[1].events == 0)
            fds[1].fd = -1; /* there is no room for what comes: its end can wait */
        while (poll(fds, 2, -1) < 0 && errno == EINTR) {
        }
        if (fds[0].revents & (POLLHUP | POLLERR))
            break; /* closed: what was not sent need not be any more */
    }
    ERR_clear_error();
    SSL_shutdown(tls->ssl);
    shutdown(tls->wire, SHUT_RDWR);
    shutdown(tls->plain, SHUT_RDWR);
    return NULL;
}

/* Gives away the other end of a new pair. */
static int start(struct tls *tls, int *out_fd)
{
    int ends[2];
    int rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return -errno;
    tls->plain = ends[0];
    fcntl(tls->plain, F_SETFL, O_NONBLOCK);
    rc = -pthread_create(&tls->thread, NULL, carry, tls);
    if (rc != 0) {
        close(ends[1]);
        return rc;
    }
    tls->running = true;
    *out_fd = ends[1];
    return 0;
}

int tls_open(struct tls **out, int *out_fd, const struct tls_options *options, int socket_fd,
             int64_t timeout_ms, char *error, size_t error_size)
{
    struct tls *tls = calloc(1, sizeof *tls);
    int rc;

    snprintf(error, error_size, "no memory or descriptors for TLS");
    if (!tls) {
        close(socket_fd);
        return -ENOMEM;
    }
    tls->wire = socket_fd;
    tls->plain = -1;
    ERR_clear_error();
    rc = set_up(tls, options, error, error_size);
    if (rc == 0)
        rc = shake_hands(tls, options->server_name, timeout_ms, error, error_size);
    if (rc == 0) {
        describe(tls);
        rc = start(tls, out_fd);
    }
    if (rc != 0) {
        tls_close(tls);
        return rc;
    }
    *out = tls;
    return 0;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    if (tls->running)
        pthread_join(tls->thread, NULL);
    SSL_free(tls->ssl);
    close(tls->wire);
    if (tls->plain >= 0)
        close(tls->plain);
    free(tls);
}
