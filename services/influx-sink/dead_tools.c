#include "dead_tools.h"

#include "dead_fix.h"
#include "dead_redo.h"
#include "encode.h"
#include "field_types_file.h"
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int trouble(const struct settings *settings, int error)
{
    if (error == -EBUSY)
        fprintf(stderr, "%s: another process takes the letters up just now\n", settings->dead_path);
    else
        fprintf(stderr, "%s: %s\n", settings->dead_path, strerror(-error));
    return error == -ENOMEM ? SERVICE_INTERNAL : SERVICE_IO;
}

static int list_letters(const struct settings *settings)
{
    int n = dead_list(settings->dead_path, stdout);

    if (n < 0)
        return trouble(settings, n);
    printf("%d dead letters in %s\n", n, settings->dead_path);
    return SERVICE_OK;
}

/* One of the targets, with what it knows of its fields. */
struct outlet {
    struct target *target;
    struct field_types *types;
    struct encoder encoder;
};

struct replay {
    const struct settings *settings;
    struct outlet outlets[SETTINGS_TARGETS_MAX];
    struct lines lines;
    struct encode_notes notes;
    struct target_answer answer;
    const char *away; /* URL of a target that takes nothing now; NULL: none */
    char detail[560];
};

static enum dead_fate keep(struct dead_letter *letter, const char *reason, const char *detail)
{
    letter->reason = reason;
    letter->detail = detail;
    return DEAD_KEEP;
}

/* What a store says to one letter: it may be away, and then the others need not be tried. */
static enum dead_fate judge(struct replay *replay, size_t index, struct dead_letter *letter)
{
    const struct deliver_answer *result = &replay->answer.result;

    if (result->status / 100 == 2 && !result->says_error)
        return DEAD_DONE;
    snprintf(replay->detail, sizeof(replay->detail), "status %d: %s", result->status,
             replay->answer.words);
    if (result->status == 400)
        return keep(letter, "refused", replay->detail);
    if (result->status == 413)
        return keep(letter, "too_large", replay->detail);
    if (result->status == 422)
        return keep(letter, "partly_refused", replay->detail);
    replay->away = replay->settings->targets[index].url;
    return DEAD_STOP;
}

static enum dead_fate replay_into(struct replay *replay, size_t index, struct dead_letter *letter)
{
    struct lines *lines = &replay->lines;
    struct encode_notes *notes = &replay->notes;
    enum dead_fate fate;
    int n;

    lines_clear(lines);
    letter->message.received_ms = letter->time_ms;
    n = encode_message(&replay->outlets[index].encoder, &letter->message, lines, notes);
    if (n == -ENOMEM)
        return DEAD_STOP;
    if (n < 0)
        return keep(letter, n == -ENOENT ? "bad_topic" : "bad_payload", notes->detail);
    if (n > 0) {
        target_send(replay->outlets[index].target, lines->text.data, lines->text.size,
                    &replay->answer);
        fate = judge(replay, index, letter);
        if (fate != DEAD_DONE)
            return fate;
    }
    return notes->n_faults > 0 ? keep(letter, notes->reason, notes->detail) : DEAD_DONE;
}

/* Done with when every target has it. */
static enum dead_fate replay_letter(void *self, struct dead_letter *letter)
{
    struct replay *replay = self;
    enum dead_fate fate = DEAD_DONE;

    for (size_t i = 0; fate == DEAD_DONE && i < replay->settings->n_targets; i++)
        fate = replay_into(replay, i, letter);
    return fate;
}

static int open_outlet(struct replay *replay, size_t index)
{
    const struct settings *settings = replay->settings;
    const struct target_settings *target = &settings->targets[index];
    struct outlet *outlet = &replay->outlets[index];
    int error = field_types_open(&outlet->types, FIELD_TYPES_MAX);
    char *path;

    if (error)
        return error;
    outlet->encoder = (struct encoder){.root = settings->root,
                                       .mapping = &settings->encode.mapping,
                                       .types = outlet->types,
                                       .past_ms = settings->encode.past_ms,
                                       .future_ms = settings->encode.future_ms};
    if (asprintf(&path, "%s/types.%s.jsonl", settings->types_directory, target->name) < 0)
        return -ENOMEM;
    error = field_types_load(outlet->types, path);
    free(path);
    return error < 0 ? error : target_open(&outlet->target, target);
}

static void close_outlet(struct outlet *outlet)
{
    if (outlet->target)
        target_close(outlet->target);
    if (outlet->types)
        field_types_close(outlet->types);
}

static int replay_letters(const struct settings *settings)
{
    struct replay *replay = calloc(1, sizeof(*replay));
    struct dead_redo_counts counts;
    int error = replay ? 0 : -ENOMEM, code = SERVICE_OK;

    if (error)
        return trouble(settings, error);
    replay->settings = settings;
    for (size_t i = 0; !error && i < settings->n_targets; i++)
        error = open_outlet(replay, i);
    if (!error)
        error = dead_redo(settings->dead_path, settings->dead_max_bytes, replay_letter, replay,
                          &counts);
    if (error)
        code = trouble(settings, error);
    else
        printf("%u stored, %u stay in %s\n", counts.done, counts.kept, settings->dead_path);
    if (!error && replay->away) {
        fprintf(stderr, "%s takes nothing now: %s\n", replay->away, replay->detail);
        code = SERVICE_UNAVAILABLE;
    }
    for (size_t i = 0; i < settings->n_targets; i++)
        close_outlet(&replay->outlets[i]);
    lines_free(&replay->lines);
    free(replay);
    return code;
}

struct mending {
    const struct settings *settings;
    struct dead_fix fix;
    struct buffer topic, payload, fixed_topic, fixed_payload;
    unsigned changed;
};

static enum dead_fate mend_letter(void *self, struct dead_letter *letter)
{
    struct mending *mending = self;
    struct message *message = &letter->message;
    int result;

    buffer_clear(&mending->topic);
    buffer_append(&mending->topic, message->topic, message->topic_length);
    buffer_clear(&mending->payload);
    buffer_append(&mending->payload, message->payload, message->size);
    buffer_clear(&mending->fixed_topic);
    buffer_clear(&mending->fixed_payload);
    result = dead_fix_apply(&mending->fix, mending->settings->root, buffer_string(&mending->topic),
                            &mending->payload, &mending->fixed_topic, &mending->fixed_payload);
    if (result < 0)
        return DEAD_STOP;
    if (result == 0)
        return DEAD_KEEP;
    mending->changed++;
    message->topic = mending->fixed_topic.data;
    message->topic_length = mending->fixed_topic.size;
    message->payload = mending->fixed_payload.data;
    message->size = mending->fixed_payload.size;
    return DEAD_KEEP;
}

static bool read_fix(struct dead_fix *fix, const struct service_arguments *arguments)
{
    const char *rename = service_argument(arguments, "rename-field");
    const char *measurement = service_argument(arguments, "rename-measurement");
    const char *drop = service_argument(arguments, "drop-field");
    const char *set = service_argument(arguments, "set-field");

    fix->only = service_argument(arguments, "only");
    if (!rename && !measurement && !drop && !set)
        return false;
    if (drop && !topic_name_valid(drop))
        return false;
    if (drop)
        strcpy(fix->drop_field, drop);
    return (!rename || dead_fix_parse_pair(rename, fix->rename_field, fix->field_name)) &&
           (!measurement ||
            dead_fix_parse_pair(measurement, fix->rename_measurement, fix->measurement_name)) &&
           (!set || dead_fix_parse_value(set, fix->set_field, &fix->set_value));
}

static int mend_letters(const struct settings *settings, const struct service_arguments *arguments)
{
    struct mending mending = {.settings = settings};
    struct dead_redo_counts counts;
    int error;

    if (!read_fix(&mending.fix, arguments)) {
        fprintf(stderr,
                "--dead-letters fix: --rename-field OLD=NEW, --drop-field NAME, --set-field "
                "NAME=VALUE or --rename-measurement OLD=NEW is meant, with --only "
                "TOPIC_FILTER for some letters only\n");
        return SERVICE_USAGE;
    }
    error =
        dead_redo(settings->dead_path, settings->dead_max_bytes, mend_letter, &mending, &counts);
    buffer_free(&mending.topic);
    buffer_free(&mending.payload);
    buffer_free(&mending.fixed_topic);
    buffer_free(&mending.fixed_payload);
    if (error)
        return trouble(settings, error);
    printf("%u of %u letters mended; now --dead-letters replay\n", mending.changed, counts.kept);
    return SERVICE_OK;
}

int dead_tools_run(const struct settings *settings, const struct service_arguments *arguments)
{
    const char *word = service_argument(arguments, "dead-letters");

    if (strcmp(word, "list") == 0)
        return list_letters(settings);
    if (strcmp(word, "replay") == 0)
        return replay_letters(settings);
    if (strcmp(word, "fix") == 0)
        return mend_letters(settings, arguments);
    fprintf(stderr, "--dead-letters %s: 'list', 'replay' or 'fix' is meant\n", word);
    return SERVICE_USAGE;
}
