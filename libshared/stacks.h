/* How much memory threads may take for their stacks. */
#ifndef STACKS_H
#define STACKS_H

/* For all threads that are started from then on, those that libraries start too: 512 KiB in place
 * of the usual 8 MiB, of which a thousand are more than some systems map. To be called before any
 * is started. */
void stacks_bound(void);

#endif
