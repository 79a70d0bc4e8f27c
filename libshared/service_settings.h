/* What every service reads from its configuration, and the file as a whole. Inside service.c. */
#ifndef SERVICE_SETTINGS_H
#define SERVICE_SETTINGS_H

#include "log.h"
#include "service.h"

struct service_settings {
    struct mqtt_options mqtt; /* strings borrowed from `config` */
    const char *state_base;   /* "" where none is configured */
    const char *state_dir;    /* below it for one part of several, else the same */
    const char *health_file;  /* NULL where none is configured */
    enum log_level log_level;
    int64_t drain_ms;
    char runtime_file[256]; /* health_file's default */

    char *part_instance, *part_dir; /* owned; NULL where this is not one of several */

    struct config *config; /* owned */
    void *own;             /* owned: what program->configure() made */
};

/* Reads the file, the common sections and the program's own. The broker's password is read only for
 * who `connects`: tools work without it. Problems stay in (*out)->config. Returns 0 or -ENOMEM. */
int service_settings_load(struct service_settings **out, const struct service_program *program,
                          const char *path, bool connects);
/* Takes instance and state directory for one of several: see service_option. Returns 0; -EINVAL
 * where `part` makes no instance's name; -ENOMEM. */
int service_settings_take_part(struct service_settings *settings, const char *part);
void service_settings_free(struct service_settings *settings,
                           const struct service_program *program);

#endif
