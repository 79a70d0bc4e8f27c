#include "dead_redo.h"

#include "clock.h"
#include "jsonr.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

struct redo {
    const char *path;
    struct dead *back; /* where letters go back to */
    dead_visit_fn *visit;
    void *self;
    struct dead_redo_counts *counts;
    bool stopped;
};

static int make_path(char **out, const char *path, const char *ending)
{
    if (asprintf(out, "%s%s", path, ending) >= 0)
        return 0;
    *out = NULL;
    return -ENOMEM;
}

/* Under the lock of the file, so that nobody who adds to it is in the midst of that. */
static int take_away(const char *path, const char *from_ending, const char *to_ending)
{
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0640), error;
    char *from = NULL, *to = NULL;

    if (fd < 0)
        return -errno;
    error = flock(fd, LOCK_EX) < 0 ? -errno : make_path(&from, path, from_ending);
    if (!error)
        error = make_path(&to, path, to_ending);
    if (!error && rename(from, to) < 0)
        error = errno == ENOENT ? 0 : -errno;
    free(from);
    free(to);
    close(fd);
    return error;
}

static enum dead_fate fate_of(struct redo *redo, struct dead_letter *letter)
{
    enum dead_fate fate = redo->stopped ? DEAD_STOP : redo->visit(redo->self, letter);

    redo->stopped = fate == DEAD_STOP;
    return fate;
}

static int end_letter(struct redo *redo, enum dead_fate fate, const struct dead_letter *letter)
{
    int error = 0;

    if (fate != DEAD_DONE) {
        error = dead_add(redo->back, letter);
        if (!error)
            error = dead_sync(redo->back);
    }
    if (!error && fate == DEAD_DONE)
        redo->counts->done++;
    if (!error && fate != DEAD_DONE)
        redo->counts->kept++;
    return error;
}

/* A line that is no letter goes back as the payload of one, so that nothing is lost. */
static int redo_line(struct redo *redo, const char *line, size_t size)
{
    const char *topic = "", *payload = "", *reason = "bad_letter";
    char error[160];
    struct jsonr in = {.path = "", .error = error, .error_size = sizeof(error)};
    struct dead_letter letter = {.time_ms = clock_time_ms()};
    int result = jsonr_parse_object(&in, line, size);
    bool good = result == 0 && jsonr_text(&in, "topic", JSONR_REQUIRED, &topic) == 0 &&
                jsonr_text(&in, "payload", JSONR_REQUIRED, &payload) == 0;

    if (good) {
        letter.detail = "";
        jsonr_text(&in, "reason", JSONR_OPTIONAL, &reason);
        jsonr_text(&in, "detail", JSONR_OPTIONAL, &letter.detail);
        jsonr_integer(&in, "ts", JSONR_OPTIONAL, &letter.time_ms);
        letter.message = (struct message){.topic = topic,
                                          .topic_length = strlen(topic),
                                          .payload = payload,
                                          .size = strlen(payload)};
    } else {
        letter.detail = error;
        letter.message = (struct message){.topic = "", .payload = line, .size = size};
    }
    letter.reason = reason;
    result = end_letter(redo, good ? fate_of(redo, &letter) : DEAD_KEEP, &letter);
    jsonr_free(in.object);
    return result;
}

static int redo_lines(struct redo *redo, FILE *file)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t size;
    int error = 0;

    while (!error) {
        off_t at = ftello(file);

        size = getline(&line, &capacity, file);
        if (size <= 0)
            break;
        if (line[0] == '#' || line[0] == '\n')
            continue;
        error = redo_line(redo, line, (size_t)(line[size - 1] == '\n' ? size - 1 : size));
        if (!error && pwrite(fileno(file), "#", 1, at) != 1)
            error = errno ? -errno : -EIO;
    }
    if (!error && ferror(file))
        error = -EIO;
    free(line);
    return error;
}

/* Not flock(): who adds letters may still wait for that one on the same file. fcntl(2), open file
 * description locks. */
static int claim(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 0;
    return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

static int redo_file(struct redo *redo, const char *ending)
{
    FILE *file = NULL;
    char *path;
    int error = make_path(&path, redo->path, ending);

    if (!error) {
        file = fopen(path, "r+e");
        if (!file && errno != ENOENT)
            error = -errno;
    }
    if (file)
        error = claim(fileno(file));
    if (file && !error)
        error = redo_lines(redo, file);
    if (file && !error && unlink(path) < 0)
        error = -errno;
    if (file)
        fclose(file);
    free(path);
    return error;
}

static int redo_both(struct redo *redo)
{
    int error = redo_file(redo, ".redo.1");

    return error ? error : redo_file(redo, ".redo.0");
}

int dead_redo(const char *path, int64_t max_bytes, dead_visit_fn *visit, void *self,
              struct dead_redo_counts *counts)
{
    struct redo redo = {.path = path, .visit = visit, .self = self, .counts = counts};
    int error = dead_open(&redo.back, path, max_bytes);

    *counts = (struct dead_redo_counts){0};
    if (error)
        return error;
    error = redo_both(&redo); /* what an earlier run left */
    if (!error)
        error = take_away(path, ".1", ".redo.1");
    if (!error)
        error = take_away(path, "", ".redo.0");
    if (!error)
        error = redo_both(&redo);
    dead_close(redo.back);
    return error;
}
