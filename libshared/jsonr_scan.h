/* The grammar of JSON, checked byte by byte before a more lenient parser builds the tree: RFC 8259.
 * Part of jsonr. Pure. */
#ifndef JSONR_SCAN_H
#define JSONR_SCAN_H

#include <stddef.h>

struct jsonr_scan {
    const char *text;
    size_t size;
    size_t at;           /* where it stands; after a failure: the byte that is wrong */
    unsigned depth;      /* objects and arrays that are open */
    size_t n_members;    /* keys seen in all objects together */
    const char *problem; /* after a failure: what is wrong, a static sentence */
};

/* Starts from text and size alone. Returns 0 where they are one whole document, or -EBADMSG. */
int jsonr_scan(struct jsonr_scan *scan);

#endif
