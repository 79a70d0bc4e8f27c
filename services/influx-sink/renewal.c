#include "renewal.h"

#include "log.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_MS 2000
#define ASKED_MS \
    60000 /* where the configuration was refused for another reason, so that it is told */
#define SECRET_SIZE 4096 /* a longer one is not looked at */

struct renewal {
    struct loop *loop;
    struct loop_timer *timer;
    const struct settings *settings;
};

/* A file that cannot be read, or is empty, is one being replaced. */
static bool is_another(const char *path, const char *secret)
{
    char line[SECRET_SIZE];
    FILE *file = fopen(path, "re");
    bool another;

    if (!file)
        return false;
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    another = line[0] && strlen(line) < sizeof(line) - 1 && strcmp(line, secret) != 0;
    explicit_bzero(line, sizeof(line));
    return another;
}

static bool is_renewed(const struct target_settings *store)
{
    const char *secret = store->token ? store->token : store->password;

    if (!store->secret_file || !secret || !is_another(store->secret_file, secret))
        return false;
    log_info("secret_renewed", "file=%s", store->secret_file);
    return true;
}

static void renewal_on_time(void *self)
{
    struct renewal *renewal = self;
    const struct settings *settings = renewal->settings;
    bool renewed = settings->stats.serve && is_renewed(&settings->stats.store);

    for (size_t i = 0; !renewed && i < settings->n_targets; i++)
        renewed = is_renewed(&settings->targets[i]);
    if (renewed)
        kill(getpid(), SIGHUP); /* comes to the loop, which then does away with this timer */
    loop_timer_set(renewal->timer, loop_now(renewal->loop) + (renewed ? ASKED_MS : LOOK_MS));
}

int renewal_open(struct renewal **out, struct loop *loop, const struct settings *settings)
{
    struct renewal *renewal = calloc(1, sizeof(*renewal));

    if (!renewal || loop_timer_open(&renewal->timer, loop, renewal_on_time, renewal) != 0) {
        free(renewal);
        return -ENOMEM;
    }
    renewal->loop = loop;
    renewal->settings = settings;
    loop_timer_set(renewal->timer, loop_now(loop) + LOOK_MS);
    *out = renewal;
    return 0;
}

void renewal_close(struct renewal *renewal)
{
    if (!renewal)
        return;
    loop_timer_close(renewal->timer);
    free(renewal);
}
