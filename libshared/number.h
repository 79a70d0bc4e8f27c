/* Numbers as text: the shortest decimal form that reads back the same, '.' in every locale. Pure.
 */
#ifndef NUMBER_H
#define NUMBER_H

#include <stddef.h>
#include <stdint.h>

#define NUMBER_SIZE 32       /* bytes that every finite double fits in, NUL included */
#define NUMBER_TEXT_MAX 1024 /* characters that number_parse() takes at most */
#define NUMBER_EXACT_DIGITS 15

/* Writes `number`, which must be finite, and returns its length in characters.
 * Whole numbers below 1e15 have neither point nor exponent; -0 is written "0". */
size_t number_format(char out[NUMBER_SIZE], double number);

/* Reads a decimal number that fills text[0..length) whole: an optional sign, digits, an optional
 * point with digits behind it, an optional exponent. No space, no hex, no "nan" or "inf". Returns
 * 0, or -EINVAL, or -ERANGE where it overflows a double; `out` is then left alone. */
int number_parse(const char *text, size_t length, double *out);

/* The same for who has read the digits already, NUMBER_EXACT_DIGITS of them at most: 2345 and 2
 * decimals are 23.45. */
double number_of_digits(uint64_t digits, size_t n_decimals);

#endif
