/* http.c against a server that says exactly what a case tells it to say. */
#include "clock.h"
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

/* Answers each connection's requests with one script; a NULL script never answers. */
struct server {
    int listener;
    char url[64];
    const char *script;
    size_t script_size;
    bool keep; /* the connection is kept for a next request */
    pthread_t thread;
    char request[65536];
    size_t request_size;
    size_t head_size;
    int n_connections;
    int n_requests;
};

static bool server_read_request(struct server *server, int fd)
{
    server->request_size = 0;
    for (;;) {
        char *end;
        ssize_t got = recv(fd, server->request + server->request_size,
                           sizeof(server->request) - 1 - server->request_size, 0);

        if (got <= 0)
            return false;
        server->request_size += (size_t)got;
        server->request[server->request_size] = '\0';
        end = strstr(server->request, "\r\n\r\n");
        if (end) {
            const char *length = strcasestr(server->request, "content-length: ");
            size_t body = length && length < end ? strtoul(length + 16, NULL, 10) : 0;

            server->head_size = (size_t)(end + 4 - server->request);
            if (server->request_size >= server->head_size + body)
                return true;
        }
    }
}

static void *server_run(void *self)
{
    struct server *server = self;
    int fd;

    while ((fd = accept(server->listener, NULL, NULL)) >= 0) {
        server->n_connections++;
        while (server_read_request(server, fd)) {
            server->n_requests++;
            if (!server->script)
                continue;
            send(fd, server->script, server->script_size, MSG_NOSIGNAL);
            if (!server->keep)
                break;
        }
        close(fd);
    }
    return NULL;
}

static void server_open(struct server *server, const char *script)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);

    memset(server, 0, sizeof(*server));
    server->script = script;
    server->script_size = script ? strlen(script) : 0;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%d/write",
             ntohs(address.sin_port));
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_close(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

static const struct http_options options = {.connect_timeout_ms = 2000, .timeout_ms = 5000};

/* One POST of "body" to a server with this script. */
static int post_once(const char *script, const struct http_options *with,
                     struct http_answer *answer)
{
    struct server server;
    struct http *http;
    struct http_request request = {.method = "POST", .body = "body", .size = 4};
    int result;

    server_open(&server, script);
    request.url = server.url;
    assert_int_equal(http_open(&http, with), 0);
    result = http_send(http, &request, answer);
    http_close(http);
    server_close(&server);
    return result;
}

static void test_answer_is_handed_over(void **state)
{
    struct http_answer answer = {0};

    (void)state;
    assert_int_equal(
        post_once("HTTP/1.1 400 Bad\r\nContent-Length: 5\r\n\r\nwrong", &options, &answer), 0);
    assert_int_equal(answer.status, 400);
    assert_string_equal(buffer_string(&answer.body), "wrong");
    assert_string_equal(answer.error, "");
    assert_int_equal(answer.retry_after_ms, 0);

    assert_int_equal(post_once("HTTP/1.1 204 No Content\r\n\r\n", &options, &answer), 0);
    assert_int_equal(answer.status, 204);
    assert_string_equal(buffer_string(&answer.body), "");
    buffer_free(&answer.body);
}

static void test_request_as_sent(void **state)
{
    static const char *const headers[] = {"Authorization: Token secret",
                                          "Content-Type: text/plain; charset=utf-8", NULL};
    struct server server;
    struct http *http;
    struct http_answer answer = {0};

    (void)state;
    server_open(&server, "HTTP/1.1 204 No Content\r\n\r\n");
    server.keep = true;
    assert_int_equal(http_open(&http, &options), 0);
    for (int i = 0; i < 3; i++) {
        struct http_request request = {
            .method = "POST", .url = server.url, .headers = headers, .body = "a b=1", .size = 5};

        assert_int_equal(http_send(http, &request, &answer), 0);
        assert_int_equal(answer.status, 204);
    }
    assert_memory_equal(server.request, "POST /write HTTP/1.1\r\n", 22);
    assert_non_null(strstr(server.request, "\r\nAuthorization: Token secret\r\n"));
    assert_non_null(strstr(server.request, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
    assert_non_null(strstr(server.request, "\r\nContent-Length: 5\r\n"));
    assert_null(strcasestr(server.request, "Expect:"));
    assert_null(strcasestr(server.request, "Content-Encoding"));
    assert_string_equal(server.request + server.head_size, "a b=1");

    struct http_request get = {.method = "GET", .url = server.url};
    assert_int_equal(http_send(http, &get, &answer), 0);
    assert_memory_equal(server.request, "GET /write HTTP/1.1\r\n", 21);
    assert_int_equal(server.n_requests, 4);
    assert_int_equal(server.n_connections, 1); /* kept */
    http_close(http);
    server_close(&server);
    buffer_free(&answer.body);
}

static void test_gzip_reads_back(void **state)
{
    struct server server;
    struct http *http;
    struct http_answer answer = {0};
    static char body[300000];
    static char back[sizeof(body) + 1];

    (void)state;
    for (size_t i = 0; i < sizeof(body); i++)
        body[i] = "temperature=23.5,"[i % 17];
    server_open(&server, "HTTP/1.1 204 No Content\r\n\r\n");
    server.keep = true;
    assert_int_equal(http_open(&http, &options), 0);
    for (int i = 0; i < 2; i++) { /* twice: the compressor is used again */
        struct http_request request = {
            .method = "POST", .url = server.url, .body = body, .size = sizeof(body), .gzip = true};
        z_stream stream = {0};

        assert_int_equal(http_send(http, &request, &answer), 0);
        assert_non_null(strstr(server.request, "\r\nContent-Encoding: gzip\r\n"));
        assert_true(server.request_size < sizeof(body) / 20);
        stream.next_in = (Bytef *)server.request + server.head_size;
        stream.avail_in = (uInt)(server.request_size - server.head_size);
        stream.next_out = (Bytef *)back;
        stream.avail_out = sizeof(back);
        assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
        assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(stream.total_out, sizeof(body));
        assert_memory_equal(back, body, sizeof(body));
        inflateEnd(&stream);
    }
    http_close(http);
    server_close(&server);
    buffer_free(&answer.body);
}

static void test_retry_after(void **state)
{
    struct http_answer answer = {0};

    (void)state;
    assert_int_equal(
        post_once("HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", &options,
                  &answer),
        0);
    assert_int_equal(answer.status, 429);
    assert_int_equal(answer.retry_after_ms, 7000);
    post_once("HTTP/1.1 503 x\r\nRetry-After: 99999999\r\nContent-Length: 0\r\n\r\n", &options,
              &answer);
    assert_int_equal(answer.retry_after_ms, HTTP_RETRY_AFTER_MAX_MS);
    post_once("HTTP/1.1 503 x\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", &options,
              &answer);
    assert_int_equal(answer.retry_after_ms, 0);
    buffer_free(&answer.body);
}

static void test_redirect_is_not_followed(void **state)
{
    struct http_answer answer = {0};

    (void)state;
    assert_int_equal(post_once("HTTP/1.1 307 Away\r\nLocation: http://127.0.0.1:1/\r\n"
                               "Content-Length: 0\r\n\r\n",
                               &options, &answer),
                     0);
    assert_int_equal(answer.status, 307);
    buffer_free(&answer.body);
}

static void test_answers_that_lie(void **state)
{
    struct http_answer answer = {0};
    char *endless = malloc(HTTP_ANSWER_MAX + 200);

    (void)state;
    /* cut */
    assert_int_equal(
        post_once("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", &options, &answer),
        -EPROTO);
    assert_int_equal(answer.status, 0);
    assert_true(strlen(answer.error) > 0);
    /* silent close, and no HTTP at all */
    assert_int_equal(post_once("", &options, &answer), -EPROTO);
    assert_int_equal(post_once("SSH-2.0-x\r\n", &options, &answer), -EPROTO);
    assert_true(strlen(answer.error) > 0);
    /* endless */
    memset(endless, 'x', HTTP_ANSWER_MAX + 199);
    memcpy(endless, "HTTP/1.0 200 OK\r\n\r\n", 19);
    endless[HTTP_ANSWER_MAX + 199] = '\0';
    assert_int_equal(post_once(endless, &options, &answer), -EPROTO);
    assert_non_null(strstr(answer.error, "longer than 65536 bytes"));
    free(endless);
    buffer_free(&answer.body);
}

static void test_nobody_there(void **state)
{
    struct http *http;
    struct http_answer answer = {0};
    struct http_request request = {.method = "GET", .url = "http://127.0.0.1:1/"};

    (void)state;
    assert_int_equal(http_open(&http, &options), 0);
    assert_int_equal(http_send(http, &request, &answer), -ECONNREFUSED);
    assert_true(strlen(answer.error) > 0);
    request.url = "http://no-such-host.invalid/";
    assert_int_equal(http_send(http, &request, &answer), -ECONNREFUSED);
    request.url = "file:///etc/hostname";
    assert_int_equal(http_send(http, &request, &answer), -EINVAL);
    request.url = "http://";
    assert_int_equal(http_send(http, &request, &answer), -EINVAL);
    http_close(http);
    buffer_free(&answer.body);
}

static void test_hanging_server_times_out(void **state)
{
    struct http_options brief = {.connect_timeout_ms = 200, .timeout_ms = 200};
    struct http_answer answer = {0};
    int64_t start_ms = clock_now_ms();

    (void)state;
    assert_int_equal(post_once(NULL, &brief, &answer), -ETIMEDOUT);
    assert_true(clock_now_ms() - start_ms < 1500);
    buffer_free(&answer.body);
}

/* One server answers while another one is silent; a descriptor ends the wait; what is under way can
 * be closed. */
static void test_group(void **state)
{
    struct http_options patient = {.connect_timeout_ms = 60000, .timeout_ms = 60000};
    struct http_request request = {.method = "POST", .body = "body", .size = 4, .gzip = true};
    struct http_answer answers[2] = {{0}, {0}};
    struct http *silent, *quick;
    struct server servers[2];
    struct http_group *group;
    struct pollfd event;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    event = (struct pollfd){.fd = ends[0], .events = POLLIN};
    server_open(&servers[0], NULL);
    server_open(&servers[1],
                "HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 4\r\n\r\nbusy");
    assert_int_equal(http_group_open(&group), 0);
    assert_int_equal(http_open(&silent, &patient), 0);
    assert_int_equal(http_open(&quick, &patient), 0);
    request.url = servers[0].url;
    http_begin(silent, &request, &answers[0], group);
    request.url = servers[1].url;
    for (int i = 0; i < 3; i++) {
        http_begin(quick, &request, &answers[1], group);
        while (http_is_under_way(quick))
            http_group_wait(group, &event, 1, 60000);
        assert_int_equal(http_result(quick), 0);
        assert_int_equal(answers[1].status, 503);
        assert_int_equal(answers[1].retry_after_ms, 2000);
        assert_string_equal(buffer_string(&answers[1].body), "busy");
    }
    assert_true(http_is_under_way(silent));
    assert_int_equal(write(ends[1], "x", 1), 1);
    http_group_wait(group, &event, 1, 60000);
    assert_true(http_is_under_way(silent));
    http_close(silent);
    http_close(quick);
    http_group_close(group);
    for (int i = 0; i < 2; i++) {
        server_close(&servers[i]);
        buffer_free(&answers[i].body);
        close(ends[i]);
    }
}

/* As http_send() tells of it. */
static void test_group_time_is_over(void **state)
{
    struct http_options brief = {.connect_timeout_ms = 200, .timeout_ms = 200};
    struct http_request request = {.method = "POST", .body = "body", .size = 4};
    struct http_answer answer = {0};
    struct http_group *group;
    struct server server;
    struct http *http;

    (void)state;
    server_open(&server, NULL);
    request.url = server.url;
    assert_int_equal(http_group_open(&group), 0);
    assert_int_equal(http_open(&http, &brief), 0);
    http_begin(http, &request, &answer, group);
    while (http_is_under_way(http))
        http_group_wait(group, NULL, 0, 60000);
    assert_int_equal(http_result(http), -ETIMEDOUT);
    assert_int_equal(answer.status, 0);
    assert_true(answer.error[0]);
    http_close(http);
    http_group_close(group);
    server_close(&server);
    buffer_free(&answer.body);
}

static void *abort_soon(void *http)
{
    usleep(100 * 1000);
    http_abort(http);
    return NULL;
}

static void test_abort_ends_the_request(void **state)
{
    struct server server;
    struct http *http;
    struct http_answer answer = {0};
    struct http_options patient = {.connect_timeout_ms = 60000, .timeout_ms = 60000};
    struct http_request request = {.method = "POST", .body = "x", .size = 1};
    pthread_t thread;
    int64_t start_ms = clock_now_ms();

    (void)state;
    server_open(&server, NULL);
    request.url = server.url;
    assert_int_equal(http_open(&http, &patient), 0);
    assert_int_equal(pthread_create(&thread, NULL, abort_soon, http), 0);
    assert_int_equal(http_send(http, &request, &answer), -ECANCELED);
    assert_true(clock_now_ms() - start_ms < 3000);
    assert_int_equal(http_send(http, &request, &answer), -ECANCELED);
    pthread_join(thread, NULL);
    http_close(http);
    server_close(&server);
    buffer_free(&answer.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answer_is_handed_over),
        cmocka_unit_test(test_request_as_sent),
        cmocka_unit_test(test_gzip_reads_back),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_redirect_is_not_followed),
        cmocka_unit_test(test_answers_that_lie),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_hanging_server_times_out),
        cmocka_unit_test(test_group),
        cmocka_unit_test(test_group_time_is_over),
        cmocka_unit_test(test_abort_ends_the_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
