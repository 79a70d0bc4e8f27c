#include "pdu.h"

/* Function codes: section 6. */
enum {
    READ_COILS = 1,
    READ_DISCRETE = 2,
    READ_HOLDING = 3,
    READ_INPUT = 4,
    WRITE_COIL = 5,
    WRITE_REGISTER = 6,
    WRITE_COILS = 15,
    WRITE_REGISTERS = 16
};

/* Largest counts: sections 6.1, 6.3, 6.11, 6.12. */
#define READ_BITS_MAX 2000
#define READ_WORDS_MAX 125
#define WRITE_BITS_MAX 1968
#define WRITE_WORDS_MAX 123

#define COIL_ON 0xff00 /* section 6.5 */

struct request {
    const uint8_t *data;
    size_t size;
    uint16_t address;
    uint16_t count; /* or the value, for a single write */
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static bool within(uint16_t address, uint16_t count, uint16_t limit)
{
    return (uint32_t)address + count <= limit;
}

/* The checks below return 0 or the exception, in the order of the specification's state diagrams.
 */
static uint8_t check_count(const struct request *request, uint16_t most, uint16_t limit)
{
    if (request->count < 1 || request->count > most)
        return PDU_ILLEGAL_VALUE;
    return within(request->address, request->count, limit) ? 0 : PDU_ILLEGAL_ADDRESS;
}

static uint8_t check_body(const struct request *request, size_t bytes)
{
    bool whole = request->size == 6 + bytes && request->data[5] == bytes;

    return whole ? 0 : PDU_ILLEGAL_VALUE;
}

static uint8_t read_bits(const struct request *request, const bool *bits, uint16_t limit,
                         uint8_t *answer, size_t *size)
{
    uint8_t wrong = request->size == 5 ? check_count(request, READ_BITS_MAX, limit)
                                       : (uint8_t)PDU_ILLEGAL_VALUE;

    if (wrong)
        return wrong;
    answer[1] = (uint8_t)((request->count + 7) / 8);
    for (uint16_t i = 0; i < answer[1]; i++)
        answer[2 + i] = 0;
    for (uint16_t i = 0; i < request->count; i++)
        answer[2 + i / 8] |= (uint8_t)(bits[request->address + i] << i % 8);
    *size = 2 + (size_t)answer[1];
    return 0;
}

static uint8_t read_words(const struct request *request, const uint16_t *words, uint16_t limit,
                          uint8_t *answer, size_t *size)
{
    uint8_t wrong = request->size == 5 ? check_count(request, READ_WORDS_MAX, limit)
                                       : (uint8_t)PDU_ILLEGAL_VALUE;

    if (wrong)
        return wrong;
    answer[1] = (uint8_t)(2 * request->count);
    for (uint16_t i = 0; i < request->count; i++)
        put16(answer + 2 + 2 * i, words[request->address + i]);
    *size = 2 + (size_t)answer[1];
    return 0;
}

static void set_coil(const struct pdu_map *map, uint16_t address, bool on)
{
    map->coils[address] = on;
    if (map->on_write)
        map->on_write(map->self, PDU_COILS, address, on);
}

static void set_holding(const struct pdu_map *map, uint16_t address, uint16_t value)
{
    map->holding[address] = value;
    if (map->on_write)
        map->on_write(map->self, PDU_HOLDING, address, value);
}

static bool holding_takes(const struct pdu_map *map, uint16_t address, uint16_t value)
{
    return !map->holding_max || value <= map->holding_max[address];
}

static uint8_t write_coil(const struct pdu_map *map, const struct request *request)
{
    if (request->size != 5 || (request->count != 0 && request->count != COIL_ON))
        return PDU_ILLEGAL_VALUE;
    if (!within(request->address, 1, map->n_coils))
        return PDU_ILLEGAL_ADDRESS;
    set_coil(map, request->address, request->count == COIL_ON);
    return 0;
}

static uint8_t write_register(const struct pdu_map *map, const struct request *request)
{
    if (request->size != 5)
        return PDU_ILLEGAL_VALUE;
    if (!within(request->address, 1, map->n_holding))
        return PDU_ILLEGAL_ADDRESS;
    if (!holding_takes(map, request->address, request->count))
        return PDU_ILLEGAL_VALUE;
    set_holding(map, request->address, request->count);
    return 0;
}

static uint8_t write_coils(const struct pdu_map *map, const struct request *request)
{
    uint8_t wrong = request->size > 5 ? check_body(request, (size_t)(request->count + 7) / 8)
                                      : (uint8_t)PDU_ILLEGAL_VALUE;

    if (!wrong)
        wrong = check_count(request, WRITE_BITS_MAX, map->n_coils);
    if (wrong)
        return wrong;
    for (uint16_t i = 0; i < request->count; i++)
        set_coil(map, (uint16_t)(request->address + i), request->data[6 + i / 8] >> i % 8 & 1);
    return 0;
}

static uint8_t write_registers(const struct pdu_map *map, const struct request *request)
{
    const uint8_t *values = request->data + 6;
    uint8_t wrong = request->size > 5 ? check_body(request, (size_t)request->count * 2)
                                      : (uint8_t)PDU_ILLEGAL_VALUE;

    if (!wrong)
        wrong = check_count(request, WRITE_WORDS_MAX, map->n_holding);
    for (uint16_t i = 0; !wrong && i < request->count; i++)
        if (!holding_takes(map, (uint16_t)(request->address + i), get16(values + 2 * i)))
            wrong = PDU_ILLEGAL_VALUE;
    if (wrong)
        return wrong;
    for (uint16_t i = 0; i < request->count; i++)
        set_holding(map, (uint16_t)(request->address + i), get16(values + 2 * i));
    return 0;
}

static uint8_t dispatch(const struct pdu_map *map, const struct request *request, uint8_t *answer,
                        size_t *size)
{
    switch (request->data[0]) {
    case READ_COILS:
        return read_bits(request, map->coils, map->n_coils, answer, size);
    case READ_DISCRETE:
        return read_bits(request, map->discrete, map->n_discrete, answer, size);
    case READ_HOLDING:
        return read_words(request, map->holding, map->n_holding, answer, size);
    case READ_INPUT:
        return read_words(request, map->input, map->n_input, answer, size);
    case WRITE_COIL:
        return write_coil(map, request);
    case WRITE_REGISTER:
        return write_register(map, request);
    case WRITE_COILS:
        return write_coils(map, request);
    case WRITE_REGISTERS:
        return write_registers(map, request);
    default:
        return PDU_ILLEGAL_FUNCTION;
    }
}

size_t pdu_exception(uint8_t function, uint8_t code, uint8_t answer[PDU_MAX])
{
    answer[0] = function | 0x80;
    answer[1] = code;
    return 2;
}

size_t pdu_answer(const struct pdu_map *map, const uint8_t *data, size_t size,
                  uint8_t answer[PDU_MAX])
{
    struct request request = {.data = data, .size = size};
    size_t answer_size = 5; /* every write is answered by its first five bytes */
    uint8_t wrong;

    if (size == 0)
        return 0;
    if (size >= 5) {
        request.address = get16(data + 1);
        request.count = get16(data + 3);
        for (size_t i = 0; i < 5; i++)
            answer[i] = data[i];
    }
    answer[0] = data[0];
    wrong = dispatch(map, &request, answer, &answer_size);
    return wrong ? pdu_exception(data[0], wrong, answer) : answer_size;
}
