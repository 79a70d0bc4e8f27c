#include "process.h"

#include "clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LOOK_EVERY_MS 100 /* whether it has ended or was cancelled */
#define LOOK_SOON_MS 10   /* the same, once it has closed its output, as it does when it ends */

struct process {
    pid_t pid; /* and of its process group */
    int input; /* our ends; -1 once closed */
    int output;
    size_t written;
    size_t said;
};

static void close_end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* A group of its own, so that what it starts ends with it; no signal blocked, all as usual. */
static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t none, all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    rc = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                  POSIX_SPAWN_SETSIGDEF);
    if (rc == 0)
        rc = posix_spawnattr_setpgroup(attributes, 0);
    if (rc == 0)
        rc = posix_spawnattr_setsigmask(attributes, &none);
    return rc ? rc : posix_spawnattr_setsigdefault(attributes, &all);
}

static int set_files(posix_spawn_file_actions_t *files, int input, int output)
{
    int rc = posix_spawn_file_actions_adddup2(files, input, STDIN_FILENO);

    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(files, output, STDOUT_FILENO);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(files, output, STDERR_FILENO);
    return rc ? rc : posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
}

static int spawn(struct process *process, const struct process_run *run, int input, int output)
{
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int rc = posix_spawn_file_actions_init(&files);

    if (rc)
        return -rc;
    rc = posix_spawnattr_init(&attributes);
    if (rc == 0) {
        rc = set_files(&files, input, output);
        if (rc == 0)
            rc = set_attributes(&attributes);
        if (rc == 0)
            rc = posix_spawn(&process->pid, run->arguments[0], &files, &attributes,
                             (char *const *)run->arguments, (char *const *)run->environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&files);
    return -rc;
}

static int start(struct process *process, const struct process_run *run)
{
    int input[2] = {-1, -1}, output[2] = {-1, -1};
    int rc = 0;

    if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0)
        rc = -errno;
    if (rc == 0)
        rc = spawn(process, run, input[0], output[1]);
    close_end(&input[0]);
    close_end(&output[1]);
    if (rc < 0) {
        close_end(&input[1]);
        close_end(&output[0]);
        return rc;
    }
    fcntl(input[1], F_SETFL, O_NONBLOCK);
    fcntl(output[0], F_SETFL, O_NONBLOCK);
    process->input = input[1];
    process->output = output[0];
    return 0;
}

/* A program that does not read is no reason for us to end: SIGPIPE, which goes to the thread that
 * writes, is held off and taken away. */
static void hold_pipe_signal(sigset_t *before)
{
    sigset_t pipe_signal;

    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, before);
}

static void release_pipe_signal(const sigset_t *before)
{
    static const struct timespec at_once = {0};
    sigset_t pipe_signal;

    if (sigismember(before, SIGPIPE))
        return;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    while (sigtimedwait(&pipe_signal, NULL, &at_once) > 0)
        ;
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void feed(struct process *process, const struct process_run *run)
{
    ssize_t n = write(process->input, (const char *)run->input + process->written,
                      run->size - process->written);

    if (n > 0)
        process->written += (size_t)n;
    if ((n < 0 && errno != EAGAIN && errno != EINTR) || process->written == run->size)
        close_end(&process->input);
}

/* Returns how many bytes of it are kept: 0 where there is nothing more, or no more room. */
static size_t listen_to(struct process *process, struct process_end *end)
{
    size_t before = process->said;
    char block[512];
    ssize_t n = read(process->output, block, sizeof block);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        close_end(&process->output);
    for (ssize_t i = 0; i < n && process->said < sizeof end->said - 1; i++)
        end->said[process->said++] = (unsigned char)block[i] < 0x20 ? ' ' : block[i];
    return process->said - before;
}

/* Until it has ended. What it started and left behind may hold its output open: that is not waited
 * for. */
static int converse(struct process *process, const struct process_run *run, struct process_end *end,
                    int *status)
{
    int64_t until_ms = clock_now_ms() + run->timeout_ms;

    while (waitpid(process->pid, status, WNOHANG) == 0) {
        struct pollfd fds[] = {{.fd = process->output, .events = POLLIN},
                               {.fd = process->input, .events = POLLOUT}};

        if (atomic_load(run->cancelled))
            return -ECANCELED;
        if (clock_now_ms() >= until_ms)
            return -ETIMEDOUT;
        if (poll(fds, 2, process->output < 0 ? LOOK_SOON_MS : LOOK_EVERY_MS) <= 0)
            continue;
        if (fds[1].revents)
            feed(process, run);
        if (fds[0].revents)
            listen_to(process, end);
    }
    while (process->output >= 0 && listen_to(process, end) > 0)
        ;
    return 0;
}

int process_run(const struct process_run *run, struct process_end *end)
{
    struct process process = {.input = -1, .output = -1};
    sigset_t before;
    int status = 0;
    int rc;

    *end = (struct process_end){.exit_code = -1};
    rc = start(&process, run);
    if (rc < 0)
        return rc;
    hold_pipe_signal(&before);
    rc = converse(&process, run, end, &status);
    release_pipe_signal(&before);
    close_end(&process.input);
    close_end(&process.output);
    if (rc < 0) {
        kill(-process.pid, SIGKILL);
        waitpid(process.pid, &status, 0);
        return rc;
    }
    if (WIFEXITED(status))
        end->exit_code = WEXITSTATUS(status);
    else
        end->signal = WTERMSIG(status);
    return 0;
}
