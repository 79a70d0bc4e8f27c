/* What sysfs tells of the USB devices behind serial ports. `root` is put before /dev and /sys: ""
 * but in tests. */
#ifndef USB_H
#define USB_H

#include "sysfs.h"

#include <stddef.h>

/* An attribute ("idVendor", "serial"…) of the USB device that a terminal ("ttyUSB0") belongs to; ""
 * where there is none. */
void usb_attribute(char out[SYSFS_TEXT_SIZE], const char *root, const char *name,
                   const char *attribute);

/* The path of the one terminal that "usb:VID:PID" or "usb:VID:PID:SERIAL" describes; ids are four
 * hex digits. Returns 0; -ENOENT where there is none; -ENOTUNIQ where there are several; -EINVAL
 * where the text is no such description (as usb_check()); -ENAMETOOLONG. */
int usb_find(char *out, size_t size, const char *root, const char *match);
int usb_check(const char *match);

#endif
