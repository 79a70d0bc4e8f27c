/* spool.c on a disk that fails: every system call it makes fails once, and goes on failing for a
 * while, in each way that such a call can; and the process ends before each. Against a model of a
 * queue: what append said yes to is there, what it refused is not, and once the disk is well again
 * all goes on.
 *
 * The calls are defined here, so that the linker takes these for the library's. */
#include "spool.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SHORT_WRITE (-1) /* half of it is written; as an error ENOSPC where that means nothing */
#define CRASH (-2)       /* the process ends before the call */
#define FOR_A_WHILE 6    /* calls that fail one after the other */

static struct {
    bool armed;
    int at;     /* call, counted from 0, that fails first */
    int number; /* of calls that fail */
    int how;    /* errno, SHORT_WRITE or CRASH */
    int seen;   /* calls since armed */
    int failed;
} disk;

enum call { WRITING, OTHER };

/* True where this call shall fail; errno says how, 0 for a short write. */
static bool fails(enum call call)
{
    int index = disk.seen;

    if (!disk.armed)
        return false;
    disk.seen++;
    if (index < disk.at || index >= disk.at + disk.number)
        return false;
    if (disk.how == CRASH)
        _exit(0);
    disk.failed++;
    errno = disk.how == SHORT_WRITE ? (call == WRITING ? 0 : ENOSPC) : disk.how;
    return true;
}

#define REAL(name) real_##name
#define FIND(name)                       \
    static __typeof__(name) *REAL(name); \
    if (!REAL(name))                     \
    *(void **)&REAL(name) = dlsym(RTLD_NEXT, #name)

int openat(int directory, const char *path, int flags, ...)
{
    va_list rest;
    mode_t mode;
    FIND(openat);

    va_start(rest, flags);
    mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    return fails(OTHER) ? -1 : REAL(openat)(directory, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t size)
{
    FIND(write);
    if (!fails(WRITING))
        return REAL(write)(fd, data, size);
    return errno ? -1 : REAL(write)(fd, data, size / 2);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    FIND(pwrite);
    if (!fails(WRITING))
        return REAL(pwrite)(fd, data, size, offset);
    return errno ? -1 : REAL(pwrite)(fd, data, size / 2, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t offset)
{
    struct iovec half = parts[n - 1];
    FIND(pwritev);

    if (!fails(WRITING))
        return REAL(pwritev)(fd, parts, n, offset);
    if (errno)
        return -1;
    half.iov_len /= 2;
    return REAL(pwritev)(fd, (struct iovec[]){parts[0], half}, 2, offset);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset)
{
    FIND(pread);
    return fails(OTHER) ? -1 : REAL(pread)(fd, data, size, offset);
}

ssize_t read(int fd, void *data, size_t size)
{
    FIND(read);
    return fails(OTHER) ? -1 : REAL(read)(fd, data, size);
}

/* Whether it reached a real disk is not what is tested here. */
int fdatasync(int fd)
{
    (void)fd;
    return fails(OTHER) ? -1 : 0;
}

int fsync(int fd)
{
    (void)fd;
    return fails(OTHER) ? -1 : 0;
}

int ftruncate(int fd, off_t size)
{
    FIND(ftruncate);
    return fails(OTHER) ? -1 : REAL(ftruncate)(fd, size);
}

int renameat(int from_directory, const char *from, int to_directory, const char *to)
{
    FIND(renameat);
    return fails(OTHER) ? -1 : REAL(renameat)(from_directory, from, to_directory, to);
}

int unlinkat(int directory, const char *path, int flags)
{
    FIND(unlinkat);
    return fails(OTHER) ? -1 : REAL(unlinkat)(directory, path, flags);
}

static void arm(int at, int number, int how)
{
    disk.at = at;
    disk.number = number;
    disk.how = how;
    disk.seen = disk.failed = 0;
    disk.armed = true;
}

static char directory[64];
static bool running; /* also after an assertion has ended a test */

static void empty_directory(void)
{
    DIR *entries = opendir(directory);
    struct dirent *entry;

    while ((entry = readdir(entries)))
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_spool_faults.XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    if (running)
        print_error("when it failed: at call %d, for %d calls, errno %d\n", disk.at, disk.number,
                    disk.how);
    running = false;
    disk.armed = false;
    empty_directory();
    return rmdir(directory);
}

/* A queue as it should be: bodies[first..next) wait. Shared with the process that is to crash. */
#define RECORDS_MAX 200
struct model {
    uint64_t first, read, next;
    uint64_t offered; /* names the body of the next append */
    uint64_t bodies[RECORDS_MAX];
    uint64_t in_hand; /* an append of this body has begun and not returned; 0: none */
    uint64_t errors;
    uint64_t committing; /* commit of this number has begun */
};

static size_t make_body(uint64_t name, char *out)
{
    size_t size = name * 37 % 90;

    for (size_t i = 0; i < size; i++)
        out[i] = (char)(name * 31 + i * 7);
    return size;
}

static void check_body(const struct spool_record *record, uint64_t name)
{
    char body[128];

    assert_int_equal(record->size, make_body(name, body));
    assert_memory_equal(record->body, body, record->size);
}

static int open_spool(struct spool **spool)
{
    struct spool_options options = {
        .directory = directory, .max_bytes = 1 << 20, .segment_bytes = 400};
    char error[256];
    int result = spool_open(spool, &options, error, sizeof(error));

    if (result)
        assert_true(error[0] != '\0');
    return result;
}

/* Each step says what it did or that it could not, and in no case something else. */
static void step_append(struct spool *spool, struct model *model)
{
    uint64_t name = ++model->offered;
    char body[128];
    size_t size = make_body(name, body);
    int result;

    model->in_hand = name;
    result = spool_append(spool, body, size);
    if (result == 0)
        model->bodies[model->next++] = name;
    else
        model->errors++;
    model->in_hand = 0;
}

static void step_next(struct spool *spool, struct model *model)
{
    struct spool_record record;
    int got = spool_next(spool_reader(spool, 0), &record);

    if (got < 0) {
        model->errors++;
        return;
    }
    assert_int_equal(got, model->read < model->next);
    if (got == 0)
        return;
    assert_int_equal(record.number, model->read);
    check_body(&record, model->bodies[model->read++]);
}

static void step_commit(struct spool *spool, struct model *model)
{
    model->committing = model->read;
    model->errors += spool_commit(spool_reader(spool, 0), model->read) != 0;
    model->first = model->read;
}

static void steps(struct spool *spool, struct model *model)
{
    for (int i = 0; i < 60; i++) {
        step_append(spool, model);
        if (i % 2 == 1)
            step_next(spool, model);
        if (i % 7 == 6)
            model->errors += spool_sync(spool) != 0;
        if (i % 9 == 8)
            step_commit(spool, model);
    }
}

/* The spool holds what the model does. A cursor that could not be written may repeat what was
 * committed; a process that ended may have been about to commit, or to say yes to the record in
 * hand. */
static void check_rest(struct spool *spool, const struct model *model, bool crashed)
{
    struct spool_stats stats = spool_stats(spool);
    struct spool_record record;
    uint64_t number = stats.first;

    assert_true(stats.first <= (crashed ? model->committing : model->first));
    for (; number < model->next; number++) {
        assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
        assert_int_equal(record.number, number);
        check_body(&record, model->bodies[number]);
    }
    if (crashed && model->in_hand && stats.next == model->next + 1) {
        assert_int_equal(spool_next(spool_reader(spool, 0), &record), 1);
        check_body(&record, model->in_hand);
    }
    assert_int_equal(spool_next(spool_reader(spool, 0), &record), 0);
    assert_int_equal(spool_stats(spool).corrupt, 0);
}

/* A well disk: all that is asked for works, now and after a start. */
static void check_works(struct spool *spool, struct model *model)
{
    uint64_t errors = model->errors;

    steps(spool, model);
    assert_int_equal(model->errors, errors);
    spool_close(spool);
    assert_int_equal(open_spool(&spool), 0);
    spool_seek(spool_reader(spool, 0), 0);
    check_rest(spool, model, false);
    spool_close(spool);
    empty_directory();
}

static int count_calls(void)
{
    struct model model = {0};
    struct spool *spool;
    int n;

    arm(1 << 30, 1, EIO);
    assert_int_equal(open_spool(&spool), 0);
    steps(spool, &model);
    n = disk.seen;
    disk.armed = false;
    assert_int_equal(model.errors, 0);
    check_works(spool, &model);
    assert_true(n > 100); /* or the linker took the real calls */
    return n;
}

/* One run with a disk that fails from call `at` on. */
static void run_fault(int at, int number, int how)
{
    struct model model = {0};
    struct spool *spool = NULL;

    running = true;
    arm(at, number, how);
    if (open_spool(&spool) == 0)
        steps(spool, &model);
    else
        model.errors++;
    assert_true(disk.failed > 0);
    disk.armed = false;
    if (!spool)
        assert_int_equal(open_spool(&spool), 0);
    check_works(spool, &model);
    running = false;
}

static void run_faults(int how)
{
    int n = count_calls();

    for (int at = 0; at < n; at++) {
        run_fault(at, 1, how);
        run_fault(at, FOR_A_WHILE, how);
    }
}

static void test_no_space(void **state)
{
    (void)state;
    run_faults(ENOSPC);
}

static void test_input_output_error(void **state)
{
    (void)state;
    run_faults(EIO);
}

static void test_read_only(void **state)
{
    (void)state;
    run_faults(EROFS);
}

static void test_short_writes(void **state)
{
    (void)state;
    run_faults(SHORT_WRITE);
}

/* The disk fails, and then the process is killed before the disk is well. */
static void run_fault_and_crash(int at, int how, struct model *shared)
{
    struct spool *spool = NULL;
    int status;
    pid_t child;

    *shared = (struct model){0};
    running = true;
    arm(at, how == CRASH ? 1 : 1 << 20, how);
    disk.armed = false;
    child = fork();
    if (child == 0) {
        disk.armed = true;
        if (open_spool(&spool) == 0)
            steps(spool, shared);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(open_spool(&spool), 0);
    check_rest(spool, shared, true);
    assert_int_equal(spool_append(spool, "on", 2), 0);
    spool_close(spool);
    empty_directory();
    running = false;
}

static void test_end_at_every_call(void **state)
{
    static const int how[] = {CRASH, ENOSPC, EIO, SHORT_WRITE};
    struct model *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int n = count_calls();

    (void)state;
    assert_true(shared != MAP_FAILED);
    for (size_t i = 0; i < sizeof(how) / sizeof(how[0]); i++)
        for (int at = 0; at < n; at++)
            run_fault_and_crash(at, how[i], shared);
    munmap(shared, sizeof(*shared));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_space, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_input_output_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_short_writes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_end_at_every_call, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
