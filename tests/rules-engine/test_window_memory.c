/* Windows written to a real directory and read back: what is asked of them is the same, to the
 * eighths that are kept. The file is cut at every byte. */
#include "window_memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH_MS 64000
#define START INT64_C(1763805600000)

struct stand {
    char directory[64];
    char path[96];
    struct picture *picture;
    int64_t now_ms;
};

static struct window *window_of(struct picture *picture, enum expression_window kind)
{
    struct series *series = picture_series(picture, "plant", "tank", "levels");
    int field = series_field(series, "x");
    assert_true(field >= 0);
    return series_window(series, (size_t)field, kind, LENGTH_MS);
}

/* A value a second for longer than the windows are. */
static void begin(struct stand *stand)
{
    *stand = (struct stand){.directory = "/tmp/fieldline-windows.XXXXXX", .now_ms = START};
    assert_non_null(mkdtemp(stand->directory));
    snprintf(stand->path, sizeof(stand->path), "%s/rules.windows", stand->directory);
    assert_int_equal(picture_open(&stand->picture), 0);
    struct window *sliding = window_of(stand->picture, EXPRESSION_SLIDING);
    struct window *average = window_of(stand->picture, EXPRESSION_EXPONENTIAL);
    sliding->wanted = average->wanted = true;
    for (int i = 0; i < 100; i++, stand->now_ms += 1000) {
        assert_int_equal(window_add(sliding, i % 7 + 0.1, stand->now_ms, stand->now_ms), 0);
        assert_int_equal(window_add(average, i % 7 + 0.1, stand->now_ms, stand->now_ms), 0);
    }
    stand->now_ms -= 1000;
}

static void end(struct stand *stand)
{
    picture_close(stand->picture);
    unlink(stand->path);
    assert_int_equal(rmdir(stand->directory), 0); /* nothing else was left */
}

static struct picture *restart(const struct stand *stand)
{
    struct picture *picture;
    assert_int_equal(picture_open(&picture), 0);
    assert_int_equal(window_memory_read(stand->directory, picture), 0);
    return picture;
}

static double ask(struct picture *picture, enum expression_window kind,
                  enum expression_aspect aspect, int64_t now_ms)
{
    struct value value = window_value(window_of(picture, kind), aspect, now_ms);
    return value.type == VALUE_NUMBER ? value.number : NAN;
}

static void test_same_after_restart(void **state)
{
    static const enum expression_aspect aspects[] = {EXPRESSION_MEAN,  EXPRESSION_MIN,
                                                     EXPRESSION_MAX,   EXPRESSION_SUM,
                                                     EXPRESSION_COUNT, EXPRESSION_STDDEV};
    (void)state;
    struct stand stand;
    begin(&stand);
    assert_int_equal(window_memory_write(stand.directory, stand.picture), 0);
    struct picture *picture = restart(&stand);
    for (size_t i = 0; i < sizeof(aspects) / sizeof(aspects[0]); i++) {
        double before = ask(stand.picture, EXPRESSION_SLIDING, aspects[i], stand.now_ms);
        double after = ask(picture, EXPRESSION_SLIDING, aspects[i], stand.now_ms);
        assert_true(fabs(before - after) < 1e-9 * fabs(before));
    }
    assert_true(ask(stand.picture, EXPRESSION_EXPONENTIAL, EXPRESSION_EWMA, stand.now_ms) ==
                ask(picture, EXPRESSION_EXPONENTIAL, EXPRESSION_EWMA, stand.now_ms));
    picture_close(picture);
    end(&stand);
}

static void test_goes_on(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    assert_int_equal(window_memory_write(stand.directory, stand.picture), 0);
    struct picture *picture = restart(&stand);
    struct window *window = window_of(picture, EXPRESSION_SLIDING);
    /* what the broker had kept is in it already */
    assert_int_equal(window_add(window, 100, stand.now_ms, stand.now_ms + 5), 0);
    assert_true(ask(picture, EXPRESSION_SLIDING, EXPRESSION_MAX, stand.now_ms) < 7);
    for (int i = 0; i < 70; i++) {
        stand.now_ms += 1000;
        assert_int_equal(window_add(window, 50, stand.now_ms, stand.now_ms), 0);
        double count = ask(picture, EXPRESSION_SLIDING, EXPRESSION_COUNT, stand.now_ms);
        assert_true(count >= 64 - 8 && count <= 64); /* the eighths leave a little early */
    }
    assert_true(ask(picture, EXPRESSION_SLIDING, EXPRESSION_MIN, stand.now_ms) == 50);
    picture_close(picture);
    end(&stand);
}

static void test_only_what_is_read(void **state)
{
    (void)state;
    struct stand stand;
    begin(&stand);
    assert_int_equal(window_memory_write(stand.directory, stand.picture), 0);
    struct picture *picture = restart(&stand);
    window_of(picture, EXPRESSION_SLIDING)->wanted = true; /* a rule is left, the other has gone */
    assert_int_equal(window_memory_write(stand.directory, picture), 0);
    picture_close(picture);
    picture = restart(&stand);
    assert_false(isnan(ask(picture, EXPRESSION_SLIDING, EXPRESSION_MEAN, stand.now_ms)));
    assert_true(isnan(ask(picture, EXPRESSION_EXPONENTIAL, EXPRESSION_EWMA, stand.now_ms)));
    picture_close(picture);
    end(&stand);
}

static void test_cut(void **state)
{
    (void)state;
    struct stand stand;
    char text[8192];
    begin(&stand);
    assert_int_equal(window_memory_write(stand.directory, stand.picture), 0);
    FILE *file = fopen(stand.path, "re");
    assert_non_null(file);
    size_t size = fread(text, 1, sizeof(text), file);
    fclose(file);
    for (size_t cut = 0; cut < size; cut++) {
        file = fopen(stand.path, "we");
        assert_int_equal(fwrite(text, 1, cut, file), cut);
        fclose(file);
        struct picture *picture = restart(&stand);
        ask(picture, EXPRESSION_SLIDING, EXPRESSION_MEDIAN, stand.now_ms);
        ask(picture, EXPRESSION_SLIDING, EXPRESSION_ZSCORE, stand.now_ms);
        picture_close(picture);
    }
    end(&stand);
}

#define W(digit) " 000000000000000" #digit
#define ONE " 3ff0000000000000"
#define INFINITE " 7ff0000000000000"
#define PANE(index) W(index) W(1) ONE W(0) ONE ONE ONE

static void test_lines(void **state)
{
    static const struct {
        const char *line;
        bool good;
    } cases[] = {
        {"plant tank levels x sliding 64000" W(1) W(2) ONE ONE PANE(5), true},
        {"plant tank levels x sliding 64000" W(1) W(2) ONE ONE PANE(5) PANE(6), true},
        {"plant tank levels x exponential 64000" W(1) W(2) ONE ONE, true},
        {"nonsense", false},
        {"plant tank levels x sliding 64000" W(1) W(2) ONE ONE, false},
        {"plant tank levels x sliding 64000" W(1) W(2) ONE ONE PANE(5) W(6), false},
        {"plant tank levels x sliding 64000" W(1) W(2) ONE ONE PANE(5) PANE(5), false},
        {"plant tank levels x sliding 64000" W(2) W(1) ONE ONE PANE(5), false},
        {"plant tank levels x sliding 64000" W(0) W(1) ONE ONE PANE(5), false},
        {"plant tank levels x sliding 64000" W(1) W(2) ONE ONE W(5) W(0) ONE W(0) ONE ONE ONE,
         false},
        {"plant tank levels x sliding 64000" W(1) W(2) ONE ONE W(5) W(1) ONE INFINITE ONE ONE ONE,
         false},
        {"plant tank levels x sliding 64000" W(1) W(2) ONE ONE ONE W(1) ONE W(0) ONE ONE ONE,
         false},
        {"plant tank levels x exponential 64000" W(1) W(2) ONE ONE PANE(5), false},
        {"plant tank levels x exponential 64000" W(1) W(2) ONE, false},
        {"plant tank levels x exponential 64000" W(1) W(2) ONE " 3ff00000000000g0", false},
        {"plant tank levels x exponential 64000" W(1) W(2) ONE " 3ff", false},
        {"plant tank levels x exponential 64000" W(1) ONE ONE ONE, false},
        {"plant tank levels x exponential 1" W(1) W(2) ONE ONE, false},
        {"plant tank levels x other 64000" W(1) W(2) ONE ONE, false},
        {"plant t/nk levels x exponential 64000" W(1) W(2) ONE ONE, false},
    };
    (void)state;
    struct stand stand;
    begin(&stand);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        FILE *file = fopen(stand.path, "we");
        fprintf(file, "%s\n", cases[i].line);
        fclose(file);
        struct picture *picture = restart(&stand);
        bool taken = window_of(picture, EXPRESSION_SLIDING)->last_ms != 0 ||
                     window_of(picture, EXPRESSION_EXPONENTIAL)->last_ms != 0;
        if (taken != cases[i].good)
            fail_msg("%s", cases[i].line);
        picture_close(picture);
    }
    end(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_after_restart),
        cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_only_what_is_read),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
