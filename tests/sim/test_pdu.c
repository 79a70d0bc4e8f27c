#include "frame.h"
#include "pdu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#define N 300

struct fixture {
    bool coils[2100], discrete[10];
    uint16_t holding[N], holding_max[N], input[N];
    struct pdu_map map;
    int writes;
};

static void on_write(void *self, enum pdu_table table, uint16_t address, uint16_t value)
{
    struct fixture *f = self;

    (void)table, (void)address, (void)value;
    f->writes++;
}

static void set_up(struct fixture *f)
{
    *f = (struct fixture){0};
    for (int i = 0; i < N; i++) {
        f->holding[i] = f->input[i] = (uint16_t)(i + 0x100);
        f->holding_max[i] = 2000;
    }
    f->coils[0] = f->coils[3] = f->coils[9] = true;
    f->map = (struct pdu_map){.coils = f->coils,
                              .discrete = f->discrete,
                              .holding = f->holding,
                              .input = f->input,
                              .holding_max = f->holding_max,
                              .n_coils = 2100,
                              .n_discrete = 10,
                              .n_holding = N,
                              .n_input = N,
                              .on_write = on_write,
                              .self = f};
}

struct conversation {
    const char *what;
    uint8_t request[16];
    size_t request_size;
    uint8_t answer[16];
    size_t answer_size;
};

/* Requests and answers written down from the specification's sections 6.1 to 6.12. */
static const struct conversation conversations[] = {
    {"coils", {1, 0, 0, 0, 10}, 5, {1, 2, 0x09, 0x02}, 4},
    {"coils from an odd place", {1, 0, 3, 0, 1}, 5, {1, 1, 1}, 3},
    {"discrete inputs", {2, 0, 0, 0, 3}, 5, {2, 1, 0}, 3},
    {"holding", {3, 0, 1, 0, 2}, 5, {3, 4, 1, 1, 1, 2}, 6},
    {"input, the last", {4, 1, 0x2b, 0, 1}, 5, {4, 2, 2, 0x2b}, 4},
    {"write coil", {5, 0, 2, 0xff, 0}, 5, {5, 0, 2, 0xff, 0}, 5},
    {"write register", {6, 0, 2, 3, 0xe8}, 5, {6, 0, 2, 3, 0xe8}, 5},
    {"write coils", {15, 0, 4, 0, 9, 2, 0xff, 1}, 8, {15, 0, 4, 0, 9}, 5},
    {"write registers", {16, 0, 0, 0, 2, 4, 0, 1, 0, 2}, 10, {16, 0, 0, 0, 2}, 5},
    {"unknown function", {7}, 1, {0x87, 1}, 2},
    {"no count", {3, 0, 0, 0, 0}, 5, {0x83, 3}, 2},
    {"count past 125", {3, 0, 0, 0, 126}, 5, {0x83, 3}, 2},
    {"count past 2000", {1, 0, 0, 7, 0xd1}, 5, {0x81, 3}, 2},
    {"address past the end", {4, 1, 0x2b, 0, 2}, 5, {0x84, 2}, 2},
    {"address that would wrap", {3, 0xff, 0xff, 0, 2}, 5, {0x83, 2}, 2},
    {"short request", {3, 0, 0, 0}, 4, {0x83, 3}, 2},
    {"long request", {3, 0, 0, 0, 1, 0}, 6, {0x83, 3}, 2},
    {"coil value", {5, 0, 2, 1, 0}, 5, {0x85, 3}, 2},
    {"coil address", {5, 0x20, 2, 0, 0}, 5, {0x85, 2}, 2},
    {"register value", {6, 0, 0, 0x7, 0xd1}, 5, {0x86, 3}, 2},
    {"bytes that do not fit the count", {16, 0, 0, 0, 2, 2, 0, 1}, 8, {0x90, 3}, 2},
    {"bytes that are not there", {16, 0, 0, 0, 2, 4, 0, 1}, 8, {0x90, 3}, 2},
    {"second value too large", {16, 0, 0, 0, 2, 4, 0, 1, 0xff, 0}, 10, {0x90, 3}, 2},
};

static void test_conversations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof conversations / sizeof *conversations; i++) {
        const struct conversation *c = &conversations[i];
        struct fixture f;
        uint8_t answer[PDU_MAX];
        size_t size;

        set_up(&f);
        size = pdu_answer(&f.map, c->request, c->request_size, answer);
        if (size != c->answer_size || memcmp(answer, c->answer, size) != 0)
            fail_msg("%s", c->what);
        if (answer[0] & 0x80 && f.writes)
            fail_msg("%s: refused and written", c->what);
    }
}

static void test_writes_are_kept_and_told(void **state)
{
    const uint8_t coils[] = {15, 0, 4, 0, 9, 2, 0x01, 1};
    const uint8_t registers[] = {16, 0, 7, 0, 2, 4, 1, 2, 3, 4};
    uint8_t answer[PDU_MAX];
    struct fixture f;

    (void)state;
    set_up(&f);
    pdu_answer(&f.map, coils, sizeof coils, answer);
    assert_int_equal(f.writes, 9);
    assert_true(f.coils[4] && !f.coils[5] && !f.coils[9] && f.coils[12]);
    pdu_answer(&f.map, registers, sizeof registers, answer);
    assert_int_equal(f.writes, 11);
    assert_int_equal(f.holding[7], 0x102);
    assert_int_equal(f.holding[8], 0x304);
}

static void test_every_length_of_every_function_is_safe(void **state)
{
    (void)state;
    for (unsigned function = 0; function < 256; function++) {
        for (size_t size = 0; size <= PDU_MAX; size++) {
            uint8_t request[PDU_MAX], answer[PDU_MAX];
            struct fixture f;

            set_up(&f);
            memset(request, 0xff, sizeof request);
            request[0] = (uint8_t)function;
            assert_true(pdu_answer(&f.map, request, size, answer) <= PDU_MAX);
        }
    }
}

static void test_mbap(void **state)
{
    const uint8_t request[] = {0x12, 0x34, 0, 0, 0, 6, 1, 3, 0, 0, 0, 1, 0x99};
    const uint8_t pdu[] = {3, 2, 0, 7};
    const uint8_t expected[] = {0x12, 0x34, 0, 0, 0, 5, 1, 3, 2, 0, 7};
    uint8_t bytes[FRAME_MAX];
    struct frame frame;

    (void)state;
    for (size_t size = 0; size < 12; size++)
        assert_int_equal(frame_parse_mbap(&frame, request, size), 0);
    assert_int_equal(frame_parse_mbap(&frame, request, sizeof request), 12);
    assert_int_equal(frame.transaction, 0x1234);
    assert_int_equal(frame.unit, 1);
    assert_int_equal(frame.size, 5);
    frame.pdu = pdu;
    frame.size = sizeof pdu;
    assert_int_equal(frame_make_mbap(&frame, bytes), sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
}

static void test_mbap_that_can_never_fit(void **state)
{
    const uint8_t protocol[] = {0, 1, 0, 1, 0, 6, 1};
    const uint8_t too_long[] = {0, 1, 0, 0, 0, 255, 1};
    const uint8_t too_short[] = {0, 1, 0, 0, 0, 1, 1};
    struct frame frame;

    (void)state;
    assert_int_equal(frame_parse_mbap(&frame, protocol, 7), -EBADMSG);
    assert_int_equal(frame_parse_mbap(&frame, too_long, 7), -EBADMSG);
    assert_int_equal(frame_parse_mbap(&frame, too_short, 7), -EBADMSG);
}

static void test_rtu(void **state)
{
    /* The serial line specification's own kind of frame; CRC from its appendix B's method. */
    const uint8_t request[] = {0x01, 0x03, 0x00, 0x00, 0x00, 0x0a, 0xc5, 0xcd};
    uint8_t bytes[FRAME_MAX], damaged[8];
    struct frame frame;

    (void)state;
    for (size_t size = 0; size < 8; size++)
        assert_int_equal(frame_parse_rtu(&frame, request, size, false), 0);
    assert_int_equal(frame_parse_rtu(&frame, request, 8, false), 8);
    assert_int_equal(frame.unit, 1);
    assert_int_equal(frame.size, 5);
    assert_int_equal(frame_make_rtu(&frame, bytes), 8);
    assert_memory_equal(bytes, request, 8);
    for (int bit = 0; bit < 64; bit++) {
        memcpy(damaged, request, 8);
        damaged[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_true(frame_parse_rtu(&frame, damaged, 8, true) <= 0);
    }
}

static void test_rtu_of_an_unknown_function_ends_by_silence(void **state)
{
    uint8_t bytes[FRAME_MAX];
    const uint8_t pdu[] = {0x2b, 0x0e, 1, 0};
    struct frame frame = {.unit = 1, .pdu = pdu, .size = sizeof pdu};
    size_t size = frame_make_rtu(&frame, bytes);

    (void)state;
    assert_int_equal(frame_parse_rtu(&frame, bytes, size, false), 0);
    assert_int_equal(frame_parse_rtu(&frame, bytes, size, true), size);
    bytes[2] ^= 1;
    assert_int_equal(frame_parse_rtu(&frame, bytes, size, true), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversations),
        cmocka_unit_test(test_writes_are_kept_and_told),
        cmocka_unit_test(test_every_length_of_every_function_is_safe),
        cmocka_unit_test(test_mbap),
        cmocka_unit_test(test_mbap_that_can_never_fit),
        cmocka_unit_test(test_rtu),
        cmocka_unit_test(test_rtu_of_an_unknown_function_ends_by_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
