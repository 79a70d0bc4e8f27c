/* Files that are replaced as a whole, and in which order that is asked of the disk. */
#include "file_replace.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

/* What is called of the C library's, in place of it: the calls are real, and their order is kept.
 */
static char calls[16];

static void note(char call)
{
    size_t n = strlen(calls);

    if (n + 1 < sizeof calls)
        calls[n] = call;
}

int fdatasync(int fd)
{
    note('d');
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    note('s');
    return (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
    note('r');
    return (int)syscall(SYS_renameat2, -100, from, -100, to, 0);
}

struct place {
    char folder[64];
    char path[96];
    char beside[112];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    strcpy(place->folder, "/tmp/replace-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/file", place->folder);
    snprintf(place->beside, sizeof place->beside, "%s.new", place->path);
    memset(calls, 0, sizeof calls);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;

    unlink(place->path);
    unlink(place->beside);
    rmdir(place->beside);
    rmdir(place->folder);
    free(place);
    return 0;
}

static int put(const struct place *place, const char *text, mode_t mode)
{
    struct buffer buffer = {0};
    int error;

    buffer_text(&buffer, text);
    error = file_replace(place->path, &buffer, mode);
    buffer_free(&buffer);
    return error;
}

static void assert_holds(const struct place *place, const char *text)
{
    char found[64] = "";
    FILE *file = fopen(place->path, "r");

    assert_non_null(file);
    found[fread(found, 1, sizeof found - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(found, text);
}

static void the_new_text_is_on_disk_before_it_takes_the_old_ones_place(void **state)
{
    const struct place *place = *state;
    struct stat status;

    assert_int_equal(put(place, "old", 0640), 0);
    assert_string_equal(calls, "drs");
    assert_int_equal(put(place, "a longer new one", 0400), 0);
    assert_holds(place, "a longer new one");
    assert_int_equal(put(place, "", 0400), 0);
    assert_holds(place, "");
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0400);
    assert_int_equal(access(place->beside, F_OK), -1);
}

static void what_a_crash_left_is_not_written_into(void **state)
{
    const struct place *place = *state;
    char elsewhere[128];

    snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", place->folder);
    assert_int_equal(symlink(elsewhere, place->beside), 0);
    assert_int_equal(put(place, "text", 0600), 0);
    assert_holds(place, "text");
    assert_int_equal(access(elsewhere, F_OK), -1);
}

static void the_old_one_stays_where_it_fails(void **state)
{
    const struct place *place = *state;
    struct buffer failed = {.failed = true};

    assert_int_equal(put(place, "old", 0640), 0);
    assert_int_equal(mkdir(place->beside, 0700), 0);
    assert_true(put(place, "new", 0640) < 0);
    assert_int_equal(file_replace(place->path, &failed, 0640), -ENOMEM);
    assert_holds(place, "old");
    assert_int_equal(file_replace("/nowhere/file", &(struct buffer){0}, 0640), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_new_text_is_on_disk_before_it_takes_the_old_ones_place,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_crash_left_is_not_written_into, setup, teardown),
        cmocka_unit_test_setup_teardown(the_old_one_stays_where_it_fails, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
