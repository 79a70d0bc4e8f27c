#include "tally.h"

/* What the board's readers counted together. */
struct reader_counts {
    uint64_t bad_values, thinned, missed, repeated, restarts, unread, given_up;
};

static struct reader_counts count_readers(const struct readers *readers)
{
    struct reader_counts sum = {0};

    for (size_t i = 0; i < readers->n; i++) {
        const struct reader *reader = &readers->all[i];

        sum.bad_values += reader->bad_values;
        sum.thinned += reader->thinned;
        sum.missed += reader->sequence.missed;
        sum.repeated += reader->sequence.repeated;
        sum.restarts += reader->sequence.restarts;
        sum.unread += reader->sequence.unread;
        if (reader->settings->decoder.pattern)
            sum.given_up += pattern_given_up(reader->settings->decoder.pattern);
    }
    return sum;
}

void tally_raise(struct tally *tally, struct health *health, const struct tally_sources *sources)
{
    struct link_stats link = link_stats(sources->link);
    const struct board_counters *board = &sources->board->counters;
    struct reader_counts read = count_readers(sources->readers);
    const struct {
        const char *name;
        uint64_t now;
    } counts[TALLY_COUNTERS] = {
        {"requests", board->requests},
        {"timeouts", board->timeouts},
        {"silences", board->silences},
        {"resets", board->resets},
        {"lines.boot", board->boot_lines},
        {"lines.late", board->late},
        {"lines.unexpected", board->unexpected},
        {"lines.streamed", board->streamed},
        {"lines.good", link.lines},
        {"lines.missed", read.missed},
        {"lines.repeated", read.repeated},
        {"lines.unnumbered", read.unread},
        {"sequence.restarts", read.restarts},
        {"dropped.long_lines", link.long_lines},
        {"dropped.bad_lines", link.bad_lines},
        {"dropped.bad_checksums", link.bad_sums},
        {"dropped.cut_lines", link.cut_lines},
        {"dropped.thinned", read.thinned},
        {"dropped.unsent", link.overruns},
        {"patterns.given_up", read.given_up},
        {"bytes.bad", link.bad_bytes},
        {"bytes.in", link.bytes_in},
        {"bytes.out", link.bytes_out},
        {"links.opened", link.opened},
        {"links.lost", link.failures},
        {"values.bad", read.bad_values},
    };

    for (size_t i = 0; i < TALLY_COUNTERS; i++) {
        health_raise(health_count(health, counts[i].name), counts[i].now - tally->told[i]);
        tally->told[i] = counts[i].now;
    }
}
