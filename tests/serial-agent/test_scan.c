/* The list of serial ports, over a /dev and a /sys of the test's own making. */
#include "scan.h"
#include "settings.h"
#include "usb.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Two CH340 without serial numbers, of which one is plugged in; an Uno with one; a ttyS of each
 * kind. */
static const char make[] =
    "set -e; cd \"$1\"; mkdir -p dev/serial/by-id dev/serial/by-path;"
    "usb=sys/devices/usb1;"
    "mkdir -p $usb/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0 $usb/1-2/1-2:1.0/tty/ttyACM0 "
    "sys/drivers/ch341-uart"
    " sys/drivers/cdc_acm sys/class/tty/ttyS0 sys/class/tty/ttyS1;"
    "echo 4 > sys/class/tty/ttyS0/type; echo 0 > sys/class/tty/ttyS1/type;"
    "echo 1a86 > $usb/1-1/idVendor; echo 7523 > $usb/1-1/idProduct;"
    "echo 2341 > $usb/1-2/idVendor; echo 0043 > $usb/1-2/idProduct; echo 85430 > $usb/1-2/serial;"
    "ln -s $PWD/sys/drivers/ch341-uart $usb/1-1/1-1:1.0/ttyUSB0/driver;"
    "ln -s $PWD/sys/drivers/cdc_acm $usb/1-2/1-2:1.0/driver;"
    "ln -s $PWD/$usb/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0 sys/class/tty/ttyUSB0;"
    "ln -s $PWD/$usb/1-1/1-1:1.0/ttyUSB0 $usb/1-1/1-1:1.0/ttyUSB0/tty/ttyUSB0/device;"
    "ln -s $PWD/$usb/1-2/1-2:1.0/tty/ttyACM0 sys/class/tty/ttyACM0;"
    "ln -s $PWD/$usb/1-2/1-2:1.0 $usb/1-2/1-2:1.0/tty/ttyACM0/device;"
    "touch dev/ttyUSB0 dev/ttyACM0 dev/ttyS0 dev/ttyS1;"
    "ln -s ../../ttyUSB0 dev/serial/by-id/usb-1a86_USB_Serial-if00-port0;"
    "ln -s ../../ttyUSB0 dev/serial/by-path/pci-0:1:1.0-port0;"
    "ln -s ../../ttyACM0 dev/serial/by-id/usb-Arduino_85430-if00;"
    "ln -s ../../ttyACM0 dev/serial/by-path/pci-0:2:1.0;";

static int setup(void **state)
{
    static char root[sizeof "/tmp/fieldline-scan-XXXXXX"];
    char command[4096];

    strcpy(root, "/tmp/fieldline-scan-XXXXXX");
    assert_non_null(mkdtemp(root));
    snprintf(command, sizeof command, "sh -c '%s' sh %s", make, root);
    assert_int_equal(system(command), 0);
    *state = root;
    return 0;
}

static int teardown(void **state)
{
    char command[256];

    snprintf(command, sizeof command, "rm -r %s", (char *)*state);
    return system(command);
}

static void ports_are_named_with_all_that_is_known(void **state)
{
    static const char *const expected[] = {
        ("/dev/ttyUSB0\n  by-id    /dev/serial/by-id/usb-1a86_USB_Serial-if00-port0\n"
         "  by-path  /dev/serial/by-path/pci-0:1:1.0-port0\n  driver   ch341-uart\n"
         "  vendor   1a86\n  product  7523\n  entry "),
        ("\"device\": \"board_001\", "
         "\"port\": \"/dev/serial/by-path/pci-0:1:1.0-port0\""), /* its by-id is not its own */
        "/dev/ttyACM0\n",
        "  driver   cdc_acm\n  vendor   2341\n  product  0043\n  serial   85430\n",
        "\"port\": \"/dev/serial/by-id/usb-Arduino_85430-if00\"",
        "/dev/ttyS0\n",
        "\"port\": \"/dev/ttyS0\"",
    };
    static char text[8192];
    FILE *out = fmemopen(text, sizeof text, "w");

    assert_non_null(out);
    assert_int_equal(scan_ports(out, *state), 3);
    fclose(out);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        if (!strstr(text, expected[i]))
            fail_msg("there is no\n%s\nin\n%s", expected[i], text);
    assert_null(strstr(text, "ttyS1"));
}

static void each_entry_is_one_for_the_configuration(void **state)
{
    static char text[8192];
    FILE *out = fmemopen(text, sizeof text, "w");
    int n = 0;

    assert_non_null(out);
    scan_ports(out, *state);
    fclose(out);
    for (char *at = text; (at = strstr(at, "  entry    ")) != NULL; n++) {
        char file[1024];
        struct config *config;
        void *settings = NULL;

        at += strlen("  entry    ");
        snprintf(file, sizeof file, "{\"devices\": [%.*s]}", (int)strcspn(at, "\n"), at);
        assert_int_equal(config_open_text(&config, "scan", file), 0);
        assert_int_equal(settings_configure(&settings, config_root(config)), 0);
        if (!config_check(config))
            config_report(config, stderr);
        assert_true(config_check(config));
        settings_discard(settings);
        config_close(config);
    }
    assert_int_equal(n, 3);
}

static void a_port_is_found_by_vendor_and_product(void **state)
{
    const char *root = *state;
    char path[256];
    char expected[256];
    char command[512];

    snprintf(expected, sizeof expected, "%s/dev/ttyACM0", root);
    assert_int_equal(usb_find(path, sizeof path, root, "usb:2341:0043"), 0);
    assert_string_equal(path, expected);
    assert_int_equal(usb_find(path, sizeof path, root, "usb:2341:0043:85430"), 0);
    assert_int_equal(usb_find(path, sizeof path, root, "usb:2341:0043:1"), -ENOENT);
    assert_int_equal(usb_find(path, sizeof path, root, "usb:1A86:7523"), 0);
    assert_int_equal(usb_find(path, sizeof path, root, "usb:dead:beef"), -ENOENT);
    assert_int_equal(usb_find(path, 8, root, "usb:1a86:7523"), -ENAMETOOLONG);
    /* A second CH340: nobody knows which is meant. */
    snprintf(command, sizeof command,
             "cd %s/sys/class/tty && ln -s \"$(readlink ttyUSB0)\" ttyUSB1", root);
    assert_int_equal(system(command), 0);
    assert_int_equal(usb_find(path, sizeof path, root, "usb:1a86:7523"), -ENOTUNIQ);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_port_is_found_by_vendor_and_product, setup, teardown),
        cmocka_unit_test_setup_teardown(each_entry_is_one_for_the_configuration, setup, teardown),
        cmocka_unit_test_setup_teardown(ports_are_named_with_all_that_is_known, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
