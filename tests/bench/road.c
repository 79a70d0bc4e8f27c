#include "road.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define POSTS 2 /* in flight at once, as the sink has */

struct road {
    const char *url;
    const char *text, *end; /* the file; nothing after `text` was posted */
    pthread_mutex_t mutex;
    pthread_cond_t change;
    long points; /* that came and are not posted */
    bool ending;
    pthread_t threads[POSTS];
};

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench-subscriber: %s: %s\n", what, why);
    exit(1);
}

static size_t ignore(char *data, size_t size, size_t n, void *self)
{
    (void)data;
    (void)self;
    return size * n;
}

static CURL *open_handle(const struct road *road, struct curl_slist *headers)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        give_up(road->url, "no handle");
    curl_easy_setopt(curl, CURLOPT_URL, road->url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    return curl;
}

static void post(CURL *curl, const char *body, size_t size)
{
    long status = 0;
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status / 100 != 2)
        give_up("post", code == CURLE_OK ? "the store refuses" : curl_easy_strerror(code));
}

/* The next post, or NULL at the end. */
static const char *take_body(struct road *road, size_t *size)
{
    const char *body = NULL;
    pthread_mutex_lock(&road->mutex);
    while (road->points < ROAD_POINTS && !road->ending)
        pthread_cond_wait(&road->change, &road->mutex);
    if (road->points >= ROAD_POINTS && road->text < road->end) {
        body = road->text;
        for (int i = 0; i < ROAD_POINTS && road->text < road->end; i++)
            road->text =
                (const char *)memchr(road->text, '\n', (size_t)(road->end - road->text)) + 1;
        *size = (size_t)(road->text - body);
        road->points -= ROAD_POINTS;
    }
    pthread_mutex_unlock(&road->mutex);
    return body;
}

static void *run(void *self)
{
    struct road *road = self;
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    CURL *curl = open_handle(road, headers);
    const char *body;
    size_t size;
    while ((body = take_body(road, &size)))
        post(curl, body, size);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return NULL;
}

static void map(struct road *road, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) < 0)
        give_up(path, "cannot be read");
    road->text = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (road->text == MAP_FAILED)
        give_up(path, "cannot be mapped");
    road->end = road->text + status.st_size;
}

struct road *road_open(const char *url, const char *path)
{
    struct road *road = calloc(1, sizeof(*road));
    if (!road)
        give_up(url, "out of memory");
    road->url = url;
    map(road, path);
    curl_global_init(CURL_GLOBAL_ALL);
    pthread_mutex_init(&road->mutex, NULL);
    pthread_cond_init(&road->change, NULL);
    for (int i = 0; i < POSTS; i++)
        if (pthread_create(&road->threads[i], NULL, run, road) != 0)
            give_up(url, "no thread");
    return road;
}

void road_take(struct road *road, long points)
{
    pthread_mutex_lock(&road->mutex);
    bool enough = road->points < ROAD_POINTS && road->points + points >= ROAD_POINTS;
    road->points += points;
    pthread_mutex_unlock(&road->mutex);
    if (enough)
        pthread_cond_signal(&road->change);
}

void road_close(struct road *road)
{
    pthread_mutex_lock(&road->mutex);
    road->ending = true;
    pthread_cond_broadcast(&road->change);
    pthread_mutex_unlock(&road->mutex);
    for (int i = 0; i < POSTS; i++)
        pthread_join(road->threads[i], NULL);
}
