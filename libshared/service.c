#include "service.h"

#include "clock.h"
#include "log.h"
#include "service_health.h"
#include "service_options.h"
#include "service_settings.h"
#include "stacks.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRAIN_POLL_MS 20
#define FAREWELL_MS 2000 /* for the last messages to reach the broker */

struct service {
    const struct service_program *program;
    const struct service_arguments *arguments;
    struct service_settings *settings;
    struct loop *loop;
    struct mqtt *mqtt;
    struct health *health;
    struct service_health *publisher;
    struct loop_timer *drain_timer;
    int signals; /* signalfd */
    void *part;  /* what program->start() made */
    bool up;
    bool draining;
    bool at_once; /* a second signal came */
    int64_t drain_until_ms;
    int exit_code;
};

const char *service_flag(const struct service *service, const char *flag)
{
    return service_argument(service->arguments, flag);
}

struct loop *service_loop(struct service *service)
{
    return service->loop;
}

struct mqtt *service_mqtt(struct service *service)
{
    return service->mqtt;
}

struct health *service_health(struct service *service)
{
    return service->health;
}

const struct mqtt_options *service_mqtt_options(const struct service *service)
{
    return &service->settings->mqtt;
}

const char *service_root(const struct service *service)
{
    return mqtt_root(service->mqtt);
}

const char *service_instance(const struct service *service)
{
    return mqtt_instance(service->mqtt);
}

const char *service_state_dir(const struct service *service)
{
    return service->settings->state_dir;
}

static void on_drain_time(void *self)
{
    struct service *service = self;
    bool done = !service->program->drained || service->program->drained(service->part);
    if (done || loop_now(service->loop) >= service->drain_until_ms)
        loop_stop(service->loop);
    else
        loop_timer_set(service->drain_timer, loop_now(service->loop) + DRAIN_POLL_MS);
}

void service_end(struct service *service, int exit_code)
{
    if (service->draining)
        return;
    service->draining = true;
    service->exit_code = exit_code;
    service->drain_until_ms = loop_now(service->loop) + service->settings->drain_ms;
    log_info("draining", "for_at_most_ms=%lld", (long long)service->settings->drain_ms);
    if (service->part && service->program->drain)
        service->program->drain(service->part);
    loop_timer_set(service->drain_timer, loop_now(service->loop));
}

static int start_part(struct service *service)
{
    int error = service->program->start(&service->part, service, service->settings->own);
    if (error != 0)
        log_error("start_failed", "reason=\"%s\"", strerror(-error));
    return error;
}

static void stop_part(struct service *service)
{
    if (service->part)
        service->program->close(service->part);
    service->part = NULL;
}

/* The connection stays as it was made: what belongs to it needs a restart. */
static void warn_of_fixed(const struct service_settings *old, const struct service_settings *new)
{
    if (strcmp(old->mqtt.url, new->mqtt.url) != 0 || strcmp(old->mqtt.root, new->mqtt.root) != 0 ||
        strcmp(old->mqtt.instance, new->mqtt.instance) != 0 ||
        strcmp(old->state_dir, new->state_dir) != 0)
        log_warning("reload_partial",
                    "what_to_do=\"restart: mqtt.url, mqtt.root, service.instance and "
                    "service.state_dir are read at the start only\"");
}

static void forget(struct service_settings *settings, const struct service_program *program)
{
    if (program->forgettable)
        config_forget(settings->config, program->forgettable);
}

/* Both settings are whole after it. Returns 0 or -errno. */
static int change_over(struct service *service, struct service_settings *old)
{
    const struct service_program *program = service->program;
    if (service->part && program->reload)
        return program->reload(service->part, service->settings->own, old->own);
    mqtt_unsubscribe_all(service->mqtt);
    stop_part(service);
    int error = start_part(service);
    if (error == 0 && service->up && program->on_link)
        program->on_link(service->part, true);
    return error;
}

static const char *part_of(const struct service_arguments *arguments)
{
    const char *flag = arguments->program->part_flag;
    return flag ? service_argument(arguments, flag) : NULL;
}

static int load(struct service_settings **out, const struct service_arguments *arguments,
                bool connects)
{
    const char *part = part_of(arguments);
    int error = service_settings_load(out, arguments->program, arguments->config, connects);
    if (error != 0 || !part)
        return error;
    error = service_settings_take_part(*out, part);
    if (error != 0)
        service_settings_free(*out, arguments->program);
    return error;
}

static void reload(struct service *service)
{
    struct service_settings *fresh;
    const char *path = service->arguments->config;
    if (service->draining || load(&fresh, service->arguments, true) != 0)
        return;
    if (!config_check(fresh->config)) {
        log_error("reload_refused",
                  "file=%s what_to_do=\"mend what follows; the old configuration stays\"", path);
        config_report(fresh->config, stderr);
        service_settings_free(fresh, service->program);
        return;
    }
    struct service_settings *old = service->settings;
    warn_of_fixed(old, fresh);
    forget(fresh, service->program);
    log_open(service->program->name, fresh->log_level);
    service->settings = fresh;
    int error = change_over(service, old);
    service_settings_free(old, service->program);
    malloc_trim(0);
    if (error != 0) {
        service_end(service, SERVICE_UNAVAILABLE);
        return;
    }
    log_info("reloaded", "file=%s", path);
}

static void on_signal(void *self, short revents)
{
    (void)revents;
    struct service *service = self;
    struct signalfd_siginfo info;
    if (read(service->signals, &info, sizeof info) != sizeof info)
        return;
    if (info.ssi_signo == SIGHUP) {
        reload(service);
    } else if (service->draining) {
        service->at_once = true;
        loop_stop(service->loop);
    } else {
        service_end(service, SERVICE_OK);
    }
}

static void tell_link(struct service *service, bool up)
{
    if (service->up == up)
        return;
    service->up = up;
    if (service->part && service->program->on_link)
        service->program->on_link(service->part, up);
}

static void on_up(void *self, bool session_present)
{
    (void)session_present;
    struct service *service = self;
    tell_link(service, true);
    service_health_publish(service->publisher);
}

static void on_down(void *self, const char *reason)
{
    struct service *service = self;
    health_set_error(service->health, clock_time_ms(), reason);
    tell_link(service, false);
}

static bool is_working(void *self, char *why, size_t size)
{
    struct service *service = self;
    const struct service_program *program = service->program;
    if (!service->up) {
        snprintf(why, size, "no connection to the broker at %s", service->settings->mqtt.url);
        return false;
    }
    if (mqtt_stats(service->mqtt).silent_subscriptions > 0) {
        snprintf(why, size, "the broker does not honour a subscription; see the log");
        return false;
    }
    return !service->part || !program->working || program->working(service->part, why, size);
}

/* All signals are taken here, and blocked before any thread starts: threads inherit the mask. */
static int open_signals(struct service *service)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGPIPE); /* never read: a peer that went is an error of write() */
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigdelset(&set, SIGPIPE);
    service->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (service->signals < 0)
        return -errno;
    return loop_watch(service->loop, service->signals, POLLIN, on_signal, service);
}

static int make_state_dir(const char *directory)
{
    if (!*directory)
        return 0;
    if (mkdir(directory, 0750) != 0 && errno != EEXIST)
        return -errno;
    return access(directory, R_OK | W_OK | X_OK) == 0 ? 0 : -errno;
}

static int open_parts(struct service *service)
{
    static const struct mqtt_handlers handlers = {.on_up = on_up, .on_down = on_down};
    int error = loop_open(&service->loop);
    if (error == 0)
        error = open_signals(service);
    if (error == 0)
        error = loop_timer_open(&service->drain_timer, service->loop, on_drain_time, service);
    if (error == 0)
        error = health_open(&service->health);
    if (error == 0)
        error =
            mqtt_open(&service->mqtt, service->loop, &service->settings->mqtt, &handlers, service);
    if (error == 0)
        error = service_health_open(&service->publisher, service->loop, service->mqtt,
                                    service->health, service->settings->health_file);
    if (error == 0) {
        service_health_on_check(service->publisher, is_working, service);
        error = start_part(service);
    }
    return error == 0 ? mqtt_start(service->mqtt) : error;
}

static void close_parts(struct service *service)
{
    if (service->mqtt)
        mqtt_leave(service->mqtt);
    stop_part(service);
    service_health_close(service->publisher);
    mqtt_close(service->mqtt, service->at_once ? 0 : FAREWELL_MS);
    health_close(service->health);
    if (service->signals >= 0 && service->loop)
        loop_unwatch(service->loop, service->signals);
    if (service->signals >= 0)
        close(service->signals);
    loop_timer_close(service->drain_timer);
    loop_close(service->loop);
}

static int serve(const struct service_program *program, const struct service_arguments *arguments,
                 struct service_settings *settings)
{
    struct service service = {
        .program = program, .arguments = arguments, .settings = settings, .signals = -1};
    int error = make_state_dir(settings->state_base);
    if (error == 0)
        error = make_state_dir(settings->state_dir);
    if (error != 0) {
        fprintf(stderr, "%s: cannot use service.state_dir %s: %s\n", program->name,
                settings->state_dir, strerror(-error));
        service_settings_free(settings, program);
        return SERVICE_IO;
    }
    log_open(program->name, settings->log_level);
    forget(settings, program);
    error = open_parts(&service);
    malloc_trim(0); /* a large configuration takes many times what is kept of it */
    if (error == 0) {
        log_info("started", "version=%s instance=%s", FIELDLINE_VERSION, settings->mqtt.instance);
        error = loop_run(service.loop);
    } else {
        fprintf(stderr, "%s: cannot start: %s\n", program->name, strerror(-error));
        service.exit_code = SERVICE_UNAVAILABLE;
    }
    close_parts(&service);
    service_settings_free(service.settings, program);
    log_info("stopped", "exit_code=%d", service.exit_code);
    return service.exit_code;
}

static int without_config(const struct service_program *program,
                          const struct service_arguments *arguments)
{
    if (arguments->tool && !program->tool_needs_config)
        return program->tool(NULL, arguments);
    fprintf(stderr,
            "%s: no configuration: give --config FILE or set FIELDLINE_CONFIG; see --help\n",
            program->name);
    return SERVICE_USAGE;
}

struct service_settings *service_other_open(const struct service_arguments *arguments,
                                            const char *path, const void **settings)
{
    struct service_settings *other;
    if (service_settings_load(&other, arguments->program, path, false) != 0) {
        fprintf(stderr, "%s: out of memory\n", path);
        return NULL;
    }
    *settings = other->own;
    if (config_check(other->config))
        return other;
    config_report(other->config, stderr);
    service_settings_free(other, arguments->program);
    return NULL;
}

void service_other_close(const struct service_arguments *arguments, struct service_settings *other)
{
    if (other)
        service_settings_free(other, arguments->program);
}

static int with_config(const struct service_program *program,
                       const struct service_arguments *arguments)
{
    struct service_settings *settings;
    int error = load(&settings, arguments, !arguments->tool);
    if (error == -EINVAL) {
        fprintf(stderr, "%s: '%s' is no part of several, such as 1/2; see --help\n", program->name,
                part_of(arguments));
        return SERVICE_USAGE;
    }
    if (error != 0) {
        fprintf(stderr, "%s: out of memory\n", program->name);
        return SERVICE_INTERNAL;
    }
    int code = SERVICE_OK;
    if (!config_check(settings->config)) {
        config_report(settings->config, stderr);
        code = SERVICE_CONFIG;
    } else if (arguments->check) {
        printf("%s: valid\n", arguments->config);
        if (program->explain)
            code = program->explain(settings->own, arguments);
    } else if (arguments->print_config) {
        code = config_print(settings->config, stdout) == 0 ? SERVICE_OK : SERVICE_IO;
    } else if (arguments->healthcheck) {
        code = service_health_check(settings->health_file);
    } else if (arguments->tool) {
        code = program->tool(settings->own, arguments);
    } else {
        return serve(program, arguments, settings);
    }
    service_settings_free(settings, program);
    return code;
}

int service_main(const struct service_program *program, int argc, char **argv)
{
    struct service_arguments arguments;
    stacks_bound();
    if (service_options_parse(&arguments, program, argc, argv) != 0)
        return SERVICE_USAGE;
    if (arguments.help) {
        service_options_help(program);
        return SERVICE_OK;
    }
    if (arguments.version) {
        printf("%s %s\n", program->name, FIELDLINE_VERSION);
        return SERVICE_OK;
    }
    return arguments.config ? with_config(program, &arguments)
                            : without_config(program, &arguments);
}
