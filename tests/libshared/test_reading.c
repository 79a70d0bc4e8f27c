/* reading.c and reading_json.c: proto's examples, round trips, cut payloads, what is written. */
#include "examples.h"
#include "reading.h"

#include <errno.h>
#include <math.h>

/* Every reading handed over, written again, one a line. */
struct collected {
    struct buffer text;
    size_t n;
};

static void collect(void *self, const struct reading *reading)
{
    struct collected *collected = self;

    assert_int_equal(reading_encode(reading, &collected->text), 0);
    buffer_char(&collected->text, '\n');
    collected->n++;
}

static void check_refused(const char *name, const char *payload, size_t size)
{
    struct collected collected = {0};
    char error[256] = "";
    int result = reading_decode(payload, size, collect, &collected, error, sizeof error);

    if (result != -EBADMSG || error[0] == '\0' || collected.n != 0)
        fail_msg("%s, %zu bytes of it: result %d, %zu handed over, error \"%s\"", name, size,
                 result, collected.n, error);
    buffer_free(&collected.text);
}

/* What was read once and written reads the same again. */
static void check_line(const char *name, const char *line, size_t length)
{
    struct collected again = {0};
    char error[256] = "";

    if (reading_decode(line, length, collect, &again, error, sizeof error) != 0)
        fail_msg("%s: %s in %s", name, error, line);
    assert_int_equal(again.text.size, length + 1);
    assert_memory_equal(again.text.data, line, length);
    buffer_free(&again.text);
}

static void check_taken(const char *name, const char *payload, size_t size)
{
    struct collected first = {0};
    char error[256] = "";
    const char *line;

    if (reading_decode(payload, size, collect, &first, error, sizeof error) != 0)
        fail_msg("%s: %s", name, error);
    assert_true(first.n > 0);
    for (line = buffer_string(&first.text); *line;) {
        size_t length = strcspn(line, "\n");

        check_line(name, line, length);
        line += length + 1;
    }
    buffer_free(&first.text);
}

static void test_valid_examples_are_read_and_written_alike(void **state)
{
    (void)state;
    examples_run("reading", "valid", check_taken);
}

static void test_invalid_examples_are_refused(void **state)
{
    (void)state;
    examples_run("reading", "invalid", check_refused);
}

static void cut(const char *name, const char *payload, size_t size)
{
    example_cut(name, payload, size, check_refused);
}

static void test_cut_examples_are_refused(void **state)
{
    (void)state;
    examples_run("reading", "valid", cut);
}

static void test_written_as_the_contract_shows(void **state)
{
    (void)state;
    struct reading reading = {0};
    struct buffer out = {0};
    size_t size;
    char *expected = example_read(SOURCE_DIR "/proto/examples/reading/valid/contract.json", &size);

    reading_reset(&reading, 1763805600123, 42);
    assert_int_equal(reading_add(&reading, "temperature", value_number(23.45)), 0);
    assert_int_equal(reading_add(&reading, "humidity", value_number(61.2)), 0);
    assert_int_equal(reading_add(&reading, "fan", value_bool(true)), 0);
    assert_int_equal(reading_add_fault(&reading, "pressure", "out_of_range"), 0);
    assert_int_equal(reading_encode(&reading, &out), 0);
    assert_int_equal(out.size, size);
    assert_memory_equal(out.data, expected, size);
    free(expected);
    buffer_free(&out);
    reading_free(&reading);
}

static void see_array(void *self, const struct reading *reading)
{
    int *n = self;

    assert_int_equal(reading->seq, *n + 1);
    assert_int_equal(reading->n_fields, 1);
    assert_int_equal(reading->n_faults, *n);
    ++*n;
}

static void test_array_comes_in_order(void **state)
{
    (void)state;
    size_t size;
    char *payload = example_read(SOURCE_DIR "/proto/examples/reading/valid/array.json", &size);
    char error[256];
    int n = 0;

    assert_int_equal(reading_decode(payload, size, see_array, &n, error, sizeof error), 0);
    assert_int_equal(n, 2);
    free(payload);
}

static void check_says(const char *payload, const char *expected)
{
    char error[256] = "";

    assert_int_equal(reading_decode(payload, strlen(payload), NULL, NULL, error, sizeof error),
                     -EBADMSG);
    assert_string_equal(error, expected);
}

static void test_says_what_and_where(void **state)
{
    (void)state;
    check_says("5", "a reading must be an object");
    check_says("[5]", "[0]: a reading must be an object");
    check_says("{\"seq\":1,\"values\":{}}", "ts: missing");
    check_says("[{\"ts\":1,\"seq\":1,\"values\":{}},{\"ts\":1,\"seq\":-1,\"values\":{}}]",
               "[1].seq: a whole number from 0 to 2^53-1 is expected");
    check_says("{\"ts\":1,\"seq\":1,\"values\":{\"t\":null}}",
               "values.t: a finite number, true, false or a text is expected");
    check_says("{\"ts\":1,\"seq\":1,\"values\":{\"T\":1}}",
               "values.T: a name is 1 to 64 of a-z, 0-9, _ and -");
    check_says("{\"ts\":1,\"seq\":1,\"values\":{},\"bad\":{\"t\":7}}",
               "bad.t: a reason of 1 to 64 bytes is expected");
}

static void test_number_that_is_none_becomes_a_fault(void **state)
{
    (void)state;
    struct reading reading = {0};
    struct buffer out = {0};

    reading_reset(&reading, 1, 2);
    assert_int_equal(reading_add(&reading, "a", value_number(NAN)), 0);
    assert_int_equal(reading_add(&reading, "b", value_number(INFINITY)), 0);
    assert_int_equal(reading_encode(&reading, &out), 0);
    assert_string_equal(buffer_string(&out), "{\"ts\":1,\"seq\":2,\"values\":{},\"bad\":{\"a\":"
                                             "\"not_a_number\",\"b\":\"not_a_number\"}}");
    buffer_free(&out);
    reading_free(&reading);
}

static void test_find_reset_and_bounds(void **state)
{
    (void)state;
    struct reading reading = {0};

    assert_null(reading_find(&reading, "a"));
    for (int i = 0; i < READING_FIELDS_MAX; i++) {
        assert_int_equal(reading_add(&reading, i ? "b" : "a", value_number(i)), 0);
        assert_int_equal(reading_add_fault(&reading, "c", "stale"), 0);
    }
    assert_int_equal(reading_add(&reading, "d", value_bool(true)), -E2BIG);
    assert_int_equal(reading_add_fault(&reading, "d", "stale"), -E2BIG);
    assert_true(reading_find(&reading, "a")->number == 0);
    assert_true(reading_find(&reading, "b")->number == 1);
    assert_null(reading_find(&reading, "d"));
    reading_reset(&reading, 1, 1);
    assert_null(reading_find(&reading, "a"));
    assert_int_equal(reading_add(&reading, "d", value_bool(true)), 0);
    reading_free(&reading);
    assert_null(reading.fields);
}

static void test_gaps_are_told_from_numbers_and_times(void **state)
{
    static const struct {
        uint64_t last_seq;
        int64_t last_ms;
        uint64_t seq;
        int64_t ts_ms;
        uint64_t gap;
    } cases[] = {
        {0, 0, 7, 1000, 0},     /* the first that is heard */
        {7, 1000, 8, 2000, 0},  /* the next */
        {7, 1000, 11, 2000, 3}, /* three are missing */
        {7, 1000, 7, 1000, 0},  /* the same once more */
        {7, 1000, 5, 1000, 0},  /* late */
        {7, 1000, 5, 500, 0},   /* late */
        {7, 1000, 1, 2000, 0},  /* a new session */
        {7, 1000, 4, 2000, 3},  /* a new session whose first ones are missing */
        {7, 1000, 7, 2000, 6},  /* that, too */
        {7, 1000, 0, 2000, 0},  /* no number */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reading reading = {.seq = cases[i].seq, .ts_ms = cases[i].ts_ms};
        if (reading_gap(&reading, cases[i].last_seq, cases[i].last_ms) != cases[i].gap)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_examples_are_read_and_written_alike),
        cmocka_unit_test(test_gaps_are_told_from_numbers_and_times),
        cmocka_unit_test(test_invalid_examples_are_refused),
        cmocka_unit_test(test_cut_examples_are_refused),
        cmocka_unit_test(test_written_as_the_contract_shows),
        cmocka_unit_test(test_array_comes_in_order),
        cmocka_unit_test(test_says_what_and_where),
        cmocka_unit_test(test_number_that_is_none_becomes_a_fault),
        cmocka_unit_test(test_find_reset_and_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
