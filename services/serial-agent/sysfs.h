/* What the kernel says of a device in a file of one line. */
#ifndef SYSFS_H
#define SYSFS_H

#define SYSFS_TEXT_SIZE 128

/* The first line of the file without its end; "" where there is none. */
void sysfs_line(char out[SYSFS_TEXT_SIZE], const char *path);

#endif
