/* Compares what a replay prints with a file of what is expected, piece by piece: as long as both
 * are the same, no more than a piece is kept. Part of capture. */
#ifndef CAPTURE_EXPECT_H
#define CAPTURE_EXPECT_H

#include "buffer.h"

#include <stdbool.h>
#include <stdio.h>

struct capture_expect {
    FILE *file;                     /* borrowed */
    struct buffer expected, actual; /* from the context of the first difference on; starts empty */
    bool differs;
};

/* The next piece of what is printed. Returns 0, -ENOMEM or -EIO. */
int capture_expect_add(struct capture_expect *expect, const char *text, size_t size);

/* Nothing more is printed: tells on `out` in which lines both differ. Returns 1 where they do, 0
 * where not, -ENOMEM or -EIO. */
int capture_expect_end(struct capture_expect *expect, FILE *out);
void capture_expect_free(struct capture_expect *expect);

#endif
