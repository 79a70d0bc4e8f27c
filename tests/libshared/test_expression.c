/* Expressions: a table of what they give, one of what is wrong with them, and every text of both
 * cut at every byte, in memory that ends with the text. */
#include "expression.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define N_OF(array) (sizeof(array) / sizeof(array[0]))

/* What the fields are worth here: x is 3, y is 0, on is true, mode is "auto"; gone, gone_bool are
 * not known. The time since x was read is 7 s, it was 2 before and rises by 0.5 a second; of its
 * windows the length in seconds is given, and a hundred times the number of the aspect. */
static struct value read_field(void *self, enum expression_aspect aspect, size_t reference)
{
    static const double aspects[] = {[EXPRESSION_CURRENT] = 3,
                                     [EXPRESSION_PREVIOUS] = 2,
                                     [EXPRESSION_AGE] = 7,
                                     [EXPRESSION_RATE] = 0.5};
    const struct expression_references *references = self;
    const struct expression_reference *at = &references->items[reference];
    const char *name = at->field;
    assert_true(reference < references->n);
    assert_int_equal(at->window, aspect < EXPRESSION_MEAN    ? EXPRESSION_NO_WINDOW
                                 : aspect == EXPRESSION_EWMA ? EXPRESSION_EXPONENTIAL
                                                             : EXPRESSION_SLIDING);
    if (at->window != EXPRESSION_NO_WINDOW && strcmp(name, "x") == 0)
        return value_number((double)at->window_ms / 1000 + 100 * (double)aspect);
    if (strcmp(name, "x") == 0)
        return value_number(aspects[aspect]);
    if (strcmp(name, "y") == 0)
        return value_number(0);
    if (strcmp(name, "on") == 0)
        return value_bool(true);
    if (strcmp(name, "mode") == 0)
        return value_text("auto");
    return (struct value){.type = VALUE_NONE};
}

static void show(char out[64], struct value value)
{
    if (value.type == VALUE_NONE)
        snprintf(out, 64, "unknown");
    else if (value.type == VALUE_BOOL)
        snprintf(out, 64, "%s", value.boolean ? "true" : "false");
    else if (value.type == VALUE_NUMBER)
        snprintf(out, 64, "%.12g", value.number);
    else
        snprintf(out, 64, "'%s'", value.text);
}

static const struct {
    const char *text, *value;
} good[] = {
    {"1", "1"},
    {"1.5", "1.5"},
    {"2e3", "2000"},
    {"1.5e-3", "0.0015"},
    {"500ms", "0.5"},
    {"30s", "30"},
    {"2m", "120"},
    {"1.5h", "5400"},
    {"1d", "86400"},
    {"1w", "604800"},
    {"true", "true"},
    {"false", "false"},
    {"'it is \"so\"'", "'it is \"so\"'"},
    {"\"°C\"", "'°C'"},
    {"''", "''"},
    /* arithmetic and its order */
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"10 - 4 - 3", "3"},
    {"24 / 4 / 2", "3"},
    {"7 % 4", "3"},
    {"-7 % 4", "-3"},
    {"-x", "-3"},
    {"--x", "3"},
    {"2 - -x", "5"},
    {"-2 * -x", "6"},
    {"1 / 0", "unknown"},
    {"x / y", "unknown"},
    {"x % y", "unknown"},
    {"0 / 0", "unknown"},
    {"1e308 * 10", "unknown"},
    {"x +\n\ty", "3"},
    /* comparison */
    {"x > 2", "true"},
    {"x > 3", "false"},
    {"x >= 3", "true"},
    {"x < 3", "false"},
    {"x <= 3", "true"},
    {"x == 3", "true"},
    {"x != 3", "false"},
    {"mode == 'auto'", "true"},
    {"mode != \"auto\"", "false"},
    {"on == true", "true"},
    {"mode == x", "unknown"},
    {"mode != x", "unknown"},
    {"on > x", "unknown"},
    {"x + 1 > y * 2", "true"},
    /* ranges and lists */
    {"x in 3..4", "true"},
    {"x in 0..2.9", "false"},
    {"x in y..x", "true"},
    {"not x in 4..5", "true"},
    {"x in [1, 2, 3]", "true"},
    {"x in [1]", "false"},
    {"mode in ['off', 'auto']", "true"},
    {"mode in ['off']", "false"},
    {"gone in 1..2", "unknown"},
    {"x in [gone, 3]", "true"},
    {"x in [gone, 4]", "unknown"},
    {"x in gone..2", "false"},
    /* three values: Kleene's tables, whole */
    {"true and true", "true"},
    {"true and false", "false"},
    {"true and gone", "unknown"},
    {"false and gone", "false"},
    {"gone and false", "false"},
    {"gone and true", "unknown"},
    {"gone and gone", "unknown"},
    {"false or false", "false"},
    {"false or true", "true"},
    {"true or gone", "true"},
    {"gone or true", "true"},
    {"gone or false", "unknown"},
    {"gone or gone", "unknown"},
    {"not true", "false"},
    {"not not true", "true"},
    {"not gone", "unknown"},
    {"not on or on", "true"},
    {"true or false and false", "true"},
    {"gone > 1", "unknown"},
    {"gone == gone", "unknown"},
    {"gone + 1", "unknown"},
    {"-gone", "unknown"},
    {"mode + 1", "unknown"},
    {"x and on", "unknown"},
    {"x > 2 and on", "true"},
    /* choices */
    {"on ? 1 : 2", "1"},
    {"not on ? 1 : 2", "2"},
    {"gone ? 1 : 2", "unknown"},
    {"on ? 1 : gone", "1"},
    {"x < 2 ? 'low' : x < 4 ? 'middle' : 'high'", "'middle'"},
    {"if(x > 2, 'high', 'low')", "'high'"},
    {"if(if(on, x, y) > 2, x + 1, y)", "4"},
    /* functions */
    {"min(x, y, 1)", "0"},
    {"max(x, y, 1)", "3"},
    {"max(x)", "3"},
    {"max(x, gone)", "unknown"},
    {"abs(y - x)", "3"},
    {"round(2.5)", "3"},
    {"round(-2.5)", "-3"},
    {"age(x)", "7"},
    {"age(x) > 5s", "true"},
    {"age(x) > 1m", "false"},
    {"age(gone)", "unknown"},
    {"previous(x)", "2"},
    {"x - previous(x)", "1"},
    {"previous(gone)", "unknown"},
    {"rate(x)", "0.5"},
    {"rate(gone) > 1", "unknown"},
    /* windows */
    {"mean(x, 10m)", "1000"},
    {"min(x, 30s)", "530"},
    {"max(x, 1h)", "4200"},
    {"sum(x, 1m)", "760"},
    {"count(x, 1s)", "801"},
    {"stddev(x, 500ms)", "900.5"},
    {"median(x, 1m)", "1060"},
    {"zscore(x, 1m)", "1160"},
    {"ewma(x, 5m)", "1500"},
    {"mean(x, 10m) - mean(x, 1m)", "540"},
    {"mean(sensors.x, 10ms)", "400.01"},
    {"max(f.d.sensors.x, 31d) - max(x, 31d)", "0"},
    {"mean(gone, 1m) > 3", "unknown"},
    {"min(x, 30)", "3"}, /* without a unit: a number */
    {"min(30s, x)", "3"},
    {"min(x + 0, 2s)", "2"},
    {"min(x, 2s, 1)", "1"},
    {"max(x, y)", "3"},
    {"min(age(x), 30s)", "7"},
    /* names */
    {"sensors.x", "3"},
    {"greenhouse_001.sensors.x", "3"},
    {"facility_a.greenhouse_001.sensors.x", "3"},
    {"`x` + `line-1`.`s`.x", "6"},
    {"age(sensors.x)", "7"},
    {"min", "unknown"}, /* a field may be called like a function */
};

static struct expression *compile(const char *text, size_t size,
                                  struct expression_references *references)
{
    struct expression_error error;
    struct expression *expression;
    char *exact = malloc(size ? size : 1);
    memcpy(exact, text, size);
    int status = expression_compile(&expression, exact, size, EXPRESSION_ANY, references, &error);
    free(exact);
    if (status == 0)
        return expression;
    assert_int_equal(status, -EINVAL);
    assert_null(expression);
    assert_true(error.line >= 1 && error.column >= 1 && error.column <= size + 1);
    assert_string_not_equal(error.text, "");
    return NULL;
}

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(good); i++) {
        struct expression_references references = {0};
        struct expression *expression = compile(good[i].text, strlen(good[i].text), &references);
        char shown[64];
        if (!expression)
            fail_msg("\"%s\" does not compile", good[i].text);
        show(shown, expression_evaluate(expression, read_field, &references));
        if (strcmp(shown, good[i].value) != 0)
            fail_msg("\"%s\" gives %s instead of %s", good[i].text, shown, good[i].value);
        expression_close(expression);
        expression_references_free(&references);
    }
}

static const struct {
    const char *text;
    enum expression_type type;
    unsigned line, column;
    const char *error;
} bad[] = {
    {"", EXPRESSION_ANY, 1, 1, "expected a number, a text, a name or '(', found the end"},
    {"  ", EXPRESSION_ANY, 1, 3, "expected a number, a text, a name or '(', found the end"},
    {"x >", EXPRESSION_ANY, 1, 4, "expected a number, a text, a name or '(', found the end"},
    {"x > > 2", EXPRESSION_ANY, 1, 5, "expected a number, a text, a name or '(', found '>'"},
    {"(x", EXPRESSION_ANY, 1, 3, "expected ')', found the end"},
    {"x)", EXPRESSION_ANY, 1, 2, "expected an operator or the end, found ')'"},
    {"x y", EXPRESSION_ANY, 1, 3, "expected an operator or the end, found 'y'"},
    {"x = 3", EXPRESSION_ANY, 1, 3, "write == to compare"},
    {"x && y", EXPRESSION_ANY, 1, 3, "write and, or, not as words"},
    {"!x", EXPRESSION_ANY, 1, 1, "write and, or, not as words"},
    {"x > 3\nand $", EXPRESSION_ANY, 2, 5, "this character has no meaning here"},
    {"'abc", EXPRESSION_ANY, 1, 1, "this quote is not closed on its line"},
    {"3 parsecs", EXPRESSION_ANY, 1, 3, "expected an operator or the end, found 'parsecs'"},
    {"3parsecs", EXPRESSION_ANY, 1, 1, "a number may be followed by one of the units"},
    {"1e999", EXPRESSION_ANY, 1, 1, "this number does not fit"},
    {"1e308w", EXPRESSION_ANY, 1, 1, "this number does not fit"},
    {"x + 'a'", EXPRESSION_ANY, 1, 5, "expected a number, found a text"},
    {"true + 1", EXPRESSION_ANY, 1, 1, "expected a number, found true or false"},
    {"1 and true", EXPRESSION_ANY, 1, 1, "expected true or false, found a number"},
    {"not 3", EXPRESSION_ANY, 1, 5, "expected true or false, found a number"},
    {"-'a'", EXPRESSION_ANY, 1, 2, "expected a number, found a text"},
    {"3 == 'a'", EXPRESSION_ANY, 1, 6, "expected a number, found a text"},
    {"1 < x < 3", EXPRESSION_ANY, 1, 7, "expected 'and' between two comparisons, found '<'"},
    {"'a' in 1..2", EXPRESSION_ANY, 1, 1, "expected a number, found a text"},
    {"x in 1..'a'", EXPRESSION_ANY, 1, 9, "expected a number, found a text"},
    {"x in 3", EXPRESSION_ANY, 1, 7, "expected '..', found the end"},
    {"x in []", EXPRESSION_ANY, 1, 7, "expected a number, a text, a name or '(', found ']'"},
    {"1 in [1, 'a']", EXPRESSION_ANY, 1, 10, "expected a number, found a text"},
    {"on ? 1", EXPRESSION_ANY, 1, 7, "expected ':', found the end"},
    {"on ? 1 : 'a'", EXPRESSION_ANY, 1, 10, "expected a number, found a text"},
    {"3 ? 1 : 2", EXPRESSION_ANY, 1, 1, "expected true or false, found a number"},
    {"if(on, 1)", EXPRESSION_ANY, 1, 9, "expected ',', found ')'"},
    {"sqrt(2)", EXPRESSION_ANY, 1, 1, "expected one of the functions if, abs, round, min"},
    {"mean(x)", EXPRESSION_ANY, 1, 7, "expected ',', found ')'"},
    {"mean(x, 10)", EXPRESSION_ANY, 1, 9, "expected a time, such as 30s, 10m or 1h, found '10'"},
    {"mean(x, y)", EXPRESSION_ANY, 1, 9, "expected a time, such as 30s, 10m or 1h, found 'y'"},
    {"mean(x + 1, 10m)", EXPRESSION_ANY, 1, 8, "expected ',', found '+'"},
    {"mean(3, 10m)", EXPRESSION_ANY, 1, 6, "expected the name of a field, found '3'"},
    {"mean(x, 10m, 1)", EXPRESSION_ANY, 1, 12, "expected ')', found ','"},
    {"mean(x, 9ms)", EXPRESSION_ANY, 1, 9, "expected a time from 10ms to 31d"},
    {"max(x, 5w)", EXPRESSION_ANY, 1, 8, "expected a time from 10ms to 31d"},
    {"mean(x, 10m) and on", EXPRESSION_ANY, 1, 1, "expected true or false, found a number"},
    {"rate(x, 10m)", EXPRESSION_ANY, 1, 7, "expected ')', found ','"},
    {"abs(1, 2)", EXPRESSION_ANY, 1, 6, "expected ')', found ','"},
    {"age(3)", EXPRESSION_ANY, 1, 5, "expected the name of a field, found '3'"},
    {"a.b.", EXPRESSION_ANY, 1, 5, "expected a name after the '.', found the end"},
    {"a.b.c.d.e", EXPRESSION_ANY, 1, 8, "expected an operator or the end, found '.'"},
    {"``", EXPRESSION_ANY, 1, 1, "expected a name of 1 to 64 characters"},
    {"x + 1", EXPRESSION_BOOL, 1, 1, "expected true or false, found a number"},
    {"x > 1", EXPRESSION_NUMBER, 1, 1, "expected a number, found true or false"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(bad); i++) {
        struct expression_references references = {0};
        struct expression_error error;
        struct expression *expression;
        int status = expression_compile(&expression, bad[i].text, strlen(bad[i].text), bad[i].type,
                                        &references, &error);
        if (status != -EINVAL || error.line != bad[i].line || error.column != bad[i].column ||
            !strstr(error.text, bad[i].error))
            fail_msg("\"%s\": %d, line %u, column %u: %s", bad[i].text, status, error.line,
                     error.column, status ? error.text : "");
        expression_references_free(&references);
    }
}

static void cut_everywhere(const char *text)
{
    for (size_t size = 0; size <= strlen(text); size++) {
        struct expression_references references = {0};
        struct expression *expression = compile(text, size, &references);
        if (expression)
            expression_evaluate(expression, read_field, &references);
        expression_close(expression);
        expression_references_free(&references);
    }
}

static void test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(good); i++)
        cut_everywhere(good[i].text);
    for (size_t i = 0; i < N_OF(bad); i++)
        cut_everywhere(bad[i].text);
}

/* `n` times `before`, "1", `n` times `after`. */
static int compile_nested(const char *before, size_t n, const char *after)
{
    struct expression_references references = {0};
    struct expression_error error;
    struct expression *expression;
    char *text = calloc(1, n * (strlen(before) + strlen(after)) + 2);
    for (size_t i = 0; i < n; i++)
        strcat(text, before);
    strcat(text, "1");
    for (size_t i = 0; i < n; i++)
        strcat(text, after);
    int status =
        expression_compile(&expression, text, strlen(text), EXPRESSION_ANY, &references, &error);
    if (status == 0)
        expression_evaluate(expression, read_field, &references);
    expression_close(expression);
    expression_references_free(&references);
    free(text);
    return status;
}

static void test_bounds(void **state)
{
    (void)state;
    assert_int_equal(compile_nested("(", EXPRESSION_DEPTH_MAX - 1, ")"), 0);
    assert_int_equal(compile_nested("(", EXPRESSION_DEPTH_MAX, ")"), -EINVAL);
    assert_int_equal(compile_nested("-", 1000, ""), -EINVAL);
    assert_int_equal(compile_nested("1 + (", 20, ")"), 0);
    assert_int_equal(compile_nested("true ? 1 : ", 100, ""), -EINVAL);
    assert_int_equal(compile_nested("abs(", 100, ")"), -EINVAL);
    assert_int_equal(compile_nested("", 500, "+1"), 0);
    assert_int_equal(compile_nested("", 600, "+1"), -EINVAL);  /* code */
    assert_int_equal(compile_nested("", 3000, "+1"), -EINVAL); /* text */
}

static void test_references(void **state)
{
    (void)state;
    struct expression_references references = {0};
    const char *text = "1 + b.x + x + b.x + age(c.b.x) + d.c.b.x";
    const char *windows = "max(x, 60s) - min(x, 1m) + ewma(x, 1m) + max(x, 2m)";
    struct expression *expression = compile(text, strlen(text), &references);
    assert_int_equal(references.n, 4);
    assert_string_equal(references.items[0].measurement, "b");
    assert_string_equal(references.items[0].device, "");
    assert_string_equal(references.items[1].measurement, "");
    assert_string_equal(references.items[2].device, "c");
    assert_string_equal(references.items[3].location, "d");
    assert_int_equal(expression_first_reference(expression), 0);
    assert_true(expression_reads_clock(expression));
    expression_close(expression);

    expression = compile("1 + x", 5, &references);
    assert_int_equal(references.n, 4);
    assert_int_equal(expression_first_reference(expression), 1);
    assert_false(expression_reads_clock(expression));
    assert_false(expression_reads_past(expression));
    expression_close(expression);

    expression = compile(windows, strlen(windows), &references);
    assert_int_equal(references.n, 7); /* one for 60s and 1m: the same window */
    assert_int_equal(references.items[4].window_ms, 60000);
    assert_int_equal(references.items[5].window, EXPRESSION_EXPONENTIAL);
    assert_int_equal(expression_first_reference(expression), 4);
    assert_true(expression_reads_past(expression));
    expression_close(expression);
    expression_references_free(&references);
}

static void test_too_many_references(void **state)
{
    (void)state;
    struct expression_references references = {0};
    struct expression_error error;
    struct expression *expression;
    char text[32];
    for (int i = 0; i < EXPRESSION_REFERENCES_MAX; i++) {
        snprintf(text, sizeof(text), "x%d", i);
        expression_close(compile(text, strlen(text), &references));
    }
    assert_int_equal(expression_compile(&expression, "one", 3, EXPRESSION_ANY, &references, &error),
                     -EINVAL);
    assert_string_equal(error.text, "expected at most 64 different fields");
    expression_references_free(&references);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),     cmocka_unit_test(test_errors),
        cmocka_unit_test(test_cut),        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_references), cmocka_unit_test(test_too_many_references),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
