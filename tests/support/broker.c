#include "broker.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int free_port(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void write_file(const struct broker *broker, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", broker->directory, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void remove_file(const struct broker *broker, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", broker->directory, name);
    unlink(path);
}

void broker_open(struct broker *broker, const char *acl)
{
    *broker = (struct broker){.port = free_port()};
    snprintf(broker->url, sizeof broker->url, "mqtt://127.0.0.1:%d", broker->port);
    strcpy(broker->directory, "/tmp/fieldline-broker-XXXXXX");
    assert_non_null(mkdtemp(broker->directory));
    char text[512];
    snprintf(text, sizeof text,
             "listener %d 127.0.0.1\nallow_anonymous true\npersistence false\nuser root\n"
             "log_dest none\n%s%s%s\n",
             broker->port, acl ? "acl_file " : "", acl ? broker->directory : "", acl ? "/acl" : "");
    write_file(broker, "mosquitto.conf", text);
    if (acl)
        write_file(broker, "acl", acl);
    broker_start(broker);
}

static bool answers(const struct broker *broker)
{
    struct sockaddr_in address = loopback(broker->port);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool connected = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return connected;
}

void broker_start(struct broker *broker)
{
    char config[128];
    snprintf(config, sizeof config, "%s/mosquitto.conf", broker->directory);
    broker->pid = fork();
    assert_true(broker->pid >= 0);
    if (broker->pid == 0) {
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        close(STDIN_FILENO); /* a killed test must not leave its pipes open in the broker */
        close(STDOUT_FILENO);
        close(STDERR_FILENO);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
        execlp("mosquitto", "mosquitto", "-c", config, (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 500 && !answers(broker); i++)
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    assert_true(answers(broker));
}

void broker_stop(struct broker *broker)
{
    if (broker->pid == 0)
        return;
    kill(broker->pid, SIGKILL);
    waitpid(broker->pid, NULL, 0);
    broker->pid = 0;
}

void broker_close(struct broker *broker)
{
    broker_stop(broker);
    remove_file(broker, "mosquitto.conf");
    remove_file(broker, "acl");
    rmdir(broker->directory);
}
