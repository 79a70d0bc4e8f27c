/* CRC-32C (Castagnoli): RFC 3720, section 12.1; test vectors in its appendix B.4. Pure. */
#ifndef CRC32C_H
#define CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of `data` after what `crc` already covers; 0 to begin with. */
uint32_t crc32c(uint32_t crc, const void *data, size_t size);

/* The same without the processor's instruction: what crc32c() is where there is none. For tests. */
uint32_t crc32c_portable(uint32_t crc, const void *data, size_t size);

#endif
