/* A Modbus server's answers: request PDU in, answer PDU out, over four tables in memory. Pure.
 * Format: MODBUS Application Protocol Specification V1.1b3, sections 4 to 7; functions 1 to 6,
 * 15, 16. */
#ifndef PDU_H
#define PDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PDU_MAX 253 /* bytes: section 4.1 */

enum pdu_exception {
    PDU_ILLEGAL_FUNCTION = 1,
    PDU_ILLEGAL_ADDRESS = 2,
    PDU_ILLEGAL_VALUE = 3,
    PDU_TARGET_SILENT = 0x0b /* a gateway's answer for a unit that is not there */
};

enum pdu_table { PDU_COILS, PDU_DISCRETE, PDU_HOLDING, PDU_INPUT };

struct pdu_map {
    bool *coils;
    bool *discrete;
    uint16_t *holding;
    uint16_t *input;
    const uint16_t *holding_max; /* largest value taken, for each; NULL: any */
    uint16_t n_coils;
    uint16_t n_discrete;
    uint16_t n_holding;
    uint16_t n_input;
    /* Called for each coil or holding register after it was written; may be NULL. */
    void (*on_write)(void *self, enum pdu_table table, uint16_t address, uint16_t value);
    void *self;
};

/* Writes the answer, which may be an exception, and returns its size in bytes; 0 for an empty
 * request, which has none. A request that is refused has written nothing. */
size_t pdu_answer(const struct pdu_map *map, const uint8_t *request, size_t size,
                  uint8_t answer[PDU_MAX]);

/* Writes an exception answer and returns its size, 2 bytes. */
size_t pdu_exception(uint8_t function, uint8_t code, uint8_t answer[PDU_MAX]);

#endif
