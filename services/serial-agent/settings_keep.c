#include "settings_keep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void own_link(struct texts *texts, struct link_settings *link)
{
    texts_own(texts, &link->url);
    texts_own(texts, &link->line_ends);
    texts_own(texts, &link->request_end);
}

static void own_poll(struct texts *texts, struct poll_settings *poll)
{
    for (size_t i = 0; i < poll->n_points; i++)
        texts_own(texts, &poll->points[i].unit);
    texts_own(texts, &poll->decoder.prefix);
    texts_own(texts, &poll->decoder.separator);
    texts_own(texts, &poll->decoder.assign);
    for (size_t i = 0; i < poll->decoder.n_fields; i++)
        texts_own(texts, &poll->decoder.fields[i]);
}

static void own_output(struct texts *texts, struct output_settings *output)
{
    for (size_t i = 0; i < output->mapping.n; i++) {
        texts_own_value(texts, &output->mapping.names[i]);
        texts_own(texts, &output->mapping.saids[i]);
    }
    texts_own(texts, &output->expect);
    texts_own(texts, &output->error);
}

int board_config_own(struct board_config *board)
{
    struct texts *texts = &board->texts;

    own_link(texts, &board->link);
    for (size_t i = 0; i < board->board.n_polls; i++) {
        texts_own(texts, &board->requests[i].request);
        own_poll(texts, &board->polls[i]);
    }
    for (size_t i = 0; i < board->n_outputs; i++) {
        actuator_own(&board->actuators[i], texts);
        own_output(texts, &board->outputs[i]);
    }
    texts_own(texts, &board->feed.line);
    texts_own(texts, &board->feed.expect);
    failsafe_own(&board->feed.watchdog.missing, texts);
    return texts->failed ? -ENOMEM : 0;
}

void board_config_free(struct board_config *board)
{
    if (!board)
        return;
    for (size_t i = 0; board->polls && i < board->board.n_polls; i++)
        pattern_close(board->polls[i].decoder.pattern);
    for (size_t i = 0; i < board->n_outputs; i++)
        pattern_close(board->outputs[i].pattern);
    free(board->polls);
    free(board->actuators);
    free(board->outputs);
    texts_free(&board->texts);
    free(board);
}

const struct board_config *settings_find(const struct settings *settings,
                                         const struct board_config *board)
{
    for (size_t i = 0; i < settings->n_boards; i++)
        if (strcmp(settings->boards[i]->device, board->device) == 0 &&
            strcmp(settings->boards[i]->location, board->location) == 0)
            return settings->boards[i];
    return NULL;
}

void settings_keep(struct settings *fresh, struct settings *old)
{
    for (size_t i = 0; i < fresh->n_boards; i++)
        for (size_t j = 0; j < old->n_boards; j++) {
            struct board_config *kept = old->boards[j];

            if (kept->digest != fresh->boards[i]->digest)
                continue;
            old->boards[j] = fresh->boards[i];
            fresh->boards[i] = kept;
            break;
        }
}
