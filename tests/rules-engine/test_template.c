#include "template.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define N_OF(array) (sizeof(array) / sizeof(array[0]))

static struct value read_field(void *self, enum expression_aspect aspect, size_t reference)
{
    const struct expression_references *references = self;
    const char *name = references->items[reference].field;
    (void)aspect;
    if (strcmp(name, "efficiency") == 0)
        return value_number(0.81);
    if (strcmp(name, "mode") == 0)
        return value_text("auto");
    if (strcmp(name, "fan") == 0)
        return value_bool(true);
    if (strcmp(name, "huge") == 0)
        return value_number(1.7e308);
    return (struct value){.type = VALUE_NONE};
}

static const struct {
    const char *text, *message;
} good[] = {
    {"", ""},
    {"plain", "plain"},
    {"efficiency {efficiency:.2%}", "efficiency 81.00 %"},
    {"{efficiency:.0%}", "81 %"},
    {"{efficiency}", "0.81"},
    {"{efficiency * 2:.1f} x", "1.6 x"},
    {"{efficiency > 0.5 ? 'high' : 'low'}", "high"},
    {"{efficiency > 0.5 ? 1 : 2:.2f}", "1.00"},
    {"{mode}, {fan}, {gone}, {gone:.1f}", "auto, true, unknown, unknown"},
    {"{location}/{device} {rule} {severity}", "facility_a/line_001 low warning"},
    {"{{{mode}}} {{}}", "{auto} {}"},
    {"{-1 / 3:.3f}°", "-0.333°"},
};

static void test_messages(void **state)
{
    (void)state;
    const struct template_names names = {"facility_a", "line_001", "low", "warning"};
    for (size_t i = 0; i < N_OF(good); i++) {
        struct expression_references references = {0};
        struct expression_error error;
        struct template *template;
        struct buffer out = {0};
        if (template_compile(&template, good[i].text, &references, &error) != 0)
            fail_msg("\"%s\": column %u: %s", good[i].text, error.column, error.text);
        template_render(template, &names, read_field, &references, &out);
        assert_string_equal(buffer_string(&out), good[i].message);
        buffer_free(&out);
        template_close(template);
        expression_references_free(&references);
    }
}

static const struct {
    const char *text;
    unsigned column;
    const char *error;
} bad[] = {
    {"a {mode", 3, "expected '}' after this '{'"},
    {"a } b", 3, "expected '{' before this '}'"},
    {"{a {b}}", 1, "expected '}' after this '{'"},
    {"a {}", 4, "expected a number, a text, a name"},
    {"a {mode +}", 10, "expected a number, a text, a name"},
    {"{fan > 1:.2f}", 2, "expected a number, found true or false"},
    {"{efficiency:.2x}", 12, "expected '}' or a format, such as :.1f or :.2%, found ':.2x'"},
};

static void test_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_OF(bad); i++) {
        struct expression_references references = {0};
        struct expression_error error;
        struct template *template;
        int status = template_compile(&template, bad[i].text, &references, &error);
        if (status != -EINVAL || error.column != bad[i].column || !strstr(error.text, bad[i].error))
            fail_msg("\"%s\": %d, column %u: %s", bad[i].text, status, error.column,
                     status ? error.text : "");
        expression_references_free(&references);
    }
}

/* 309 digits and then some. */
static void test_huge(void **state)
{
    (void)state;
    const struct template_names names = {"", "", "", ""};
    struct expression_references references = {0};
    struct expression_error error;
    struct template *template;
    struct buffer out = {0};
    assert_int_equal(template_compile(&template, "{huge:.9f} {huge:.9%}", &references, &error), 0);
    template_render(template, &names, read_field, &references, &out);
    assert_int_equal(out.size, 2 * 319 + 3);
    buffer_free(&out);
    template_close(template);
    expression_references_free(&references);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_huge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
