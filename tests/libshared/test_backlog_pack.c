#include "backlog_pack.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(struct backlog_pack *pack, const char *topic, const char *payload)
{
    struct buffer record = {0};
    backlog_pack_record(&record, topic, payload, strlen(payload));
    assert_int_equal(backlog_pack_add(pack, record.data, record.size), 0);
    buffer_free(&record);
}

static void list(void *self, const char *topic, const char *payload, size_t size)
{
    buffer_format(self, "%s %.*s\n", topic, (int)size, payload);
}

static void records_of_a_topic_become_an_array_in_order(void **state)
{
    (void)state;
    struct backlog_pack pack = {0};
    struct buffer text = {0};
    add(&pack, "a", "{\"seq\":1}");
    add(&pack, "b", "{\"seq\":1}");
    add(&pack, "a", "{\"seq\":2}");
    add(&pack, "a", "[{\"seq\":3},{\"seq\":4}]");
    add(&pack, "c", "[{\"seq\":1},{\"seq\":2}]");
    add(&pack, "a", "{\"seq\":5}");
    backlog_pack_each(&pack, list, &text);
    assert_string_equal(buffer_string(&text),
                        "a [{\"seq\":1},{\"seq\":2},{\"seq\":3},{\"seq\":4},{\"seq\":5}]\n"
                        "b {\"seq\":1}\n"
                        "c [{\"seq\":1},{\"seq\":2}]\n");
    backlog_pack_clear(&pack);
    assert_int_equal(pack.size, 0);
    buffer_free(&text);
}

struct tally {
    int messages;
    int readings;
    size_t largest;
};

static void count(void *self, const char *topic, const char *payload, size_t size)
{
    struct tally *tally = self;
    (void)topic;
    tally->messages++;
    tally->largest = size > tally->largest ? size : tally->largest;
    for (size_t i = 0; i < size; i++)
        if (payload[i] == '{') {
            int seq;
            assert_int_equal(sscanf(payload + i, "{\"seq\":%d}", &seq), 1);
            assert_int_equal(seq, tally->readings++); /* in order over the pieces too */
        }
}

static void a_long_array_comes_in_pieces(void **state)
{
    (void)state;
    struct backlog_pack pack = {0};
    struct tally tally = {0};
    for (int i = 0; i < 10000; i++) {
        char payload[32];
        snprintf(payload, sizeof payload, "{\"seq\":%d}", i);
        add(&pack, "a", payload);
    }
    backlog_pack_each(&pack, count, &tally);
    assert_int_equal(tally.readings, 10000);
    assert_in_range(tally.messages, 3, 10);
    assert_in_range(tally.largest, 1, READING_ARRAY_MAX + 100);
    backlog_pack_clear(&pack);
}

static void what_is_no_record_is_refused(void **state)
{
    (void)state;
    struct backlog_pack pack = {0};
    assert_int_equal(backlog_pack_add(&pack, "no end", 6), -EBADMSG);
    assert_int_equal(backlog_pack_add(&pack, "\0{}", 3), -EBADMSG);
    assert_int_equal(backlog_pack_add(&pack, "", 0), -EBADMSG);
    backlog_pack_clear(&pack);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_of_a_topic_become_an_array_in_order),
        cmocka_unit_test(a_long_array_comes_in_pieces),
        cmocka_unit_test(what_is_no_record_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
