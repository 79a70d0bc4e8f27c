#include "probe_report.h"

#include "guess.h"
#include "number.h"
#include "probe_entry.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define FEW 3       /* interpretations shown of each place… */
#define PLAIN 0.005 /* …if they are more plausible than this */
#define LIKELY 0.5  /* what is picked where nothing is expected: such values cannot overlap */
#define RIVALS 4    /* shown of what is as expected */
#define BITS_A_LINE 64

/* One unit's registers and what they may mean. */
struct view {
    const struct probe_report *report;
    const struct probe_unit *unit;
    const struct probe_block **blocks; /* owned; of each run */
    struct guess_run *runs;            /* owned */
    size_t n_runs;
    struct guesses guesses;
    struct probe_choice *choices; /* owned, handed from unit to unit */
    size_t n_choices;
    FILE *out;
};

/* To as many digits as the type tells apart: 50.01, not 50.0099983215332. */
static double rounded(enum data_type type, double number)
{
    int digits = type == DATA_FLOAT16 ? 4 : 7;
    double unit;

    if ((type != DATA_FLOAT16 && type != DATA_FLOAT32) || number == 0)
        return number;
    unit = pow(10, digits - 1 - floor(log10(fabs(number))));
    return round(number * unit) / unit;
}

static void print_number(enum data_type type, double number, FILE *out)
{
    char text[NUMBER_SIZE];

    if (isfinite(number)) {
        number_format(text, rounded(type, number));
        fputs(text, out);
    } else {
        fputs("not a number", out);
    }
}

static void print_encoding(const struct encoding *encoding, FILE *out)
{
    const char *order = guess_order(encoding);

    fputs(data_type_names[encoding->type], out);
    if (order)
        fprintf(out, " %s", order);
    else
        fprintf(out, " %s byte", encoding->high_byte ? "high" : "low");
}

static void print_guess(const struct guess *guess, FILE *out)
{
    print_encoding(&guess->encoding, out);
    fputs(" = ", out);
    print_number(guess->encoding.type, guess->number, out);
    fprintf(out, " (%.1f %%)", guess->plausibility * 100);
}

static char letter(unsigned byte)
{
    return byte > 0x20 && byte < 0x7f ? (char)byte : '.';
}

/* The guesses of one place, from `first`. Returns the first of the next place. */
static size_t print_place(const struct view *view, size_t first)
{
    const struct guess *items = view->guesses.items;
    const struct probe_block *block = view->blocks[items[first].run];
    unsigned cell = block->cells[items[first].at];
    size_t i = first;
    size_t shown = 0;

    fprintf(view->out, "//   %5u  %04x %c%c ", block->span.address + (unsigned)items[first].at,
            cell, letter(cell >> 8), letter(cell & 0xff));
    for (;
         i < view->guesses.n && items[i].run == items[first].run && items[i].at == items[first].at;
         i++) {
        if (!view->report->all && (shown == FEW || items[i].plausibility < PLAIN))
            continue;
        fputs(shown++ == 0 ? " " : view->report->all ? "\n//                   " : ", ", view->out);
        print_guess(&items[i], view->out);
    }
    fputc('\n', view->out);
    return i;
}

static void print_bits(const struct probe_block *block, FILE *out)
{
    for (unsigned i = 0; i < block->span.count; i++) {
        if (i % BITS_A_LINE == 0)
            fprintf(out, "%s//   %5u  ", i ? "\n" : "", block->span.address + i);
        fputc(block->cells[i] ? '1' : '0', out);
    }
    fputc('\n', out);
}

static void print_blocks(const struct view *view)
{
    size_t next = 0;
    size_t run = 0;

    for (size_t i = 0; i < view->unit->n_blocks; i++) {
        const struct probe_block *block = &view->unit->blocks[i];

        fprintf(view->out, "// unit %u, %s %u to %u\n", view->unit->unit,
                table_names[block->span.table], block->span.address, span_end(&block->span) - 1);
        if (table_is_bits(block->span.table)) {
            print_bits(block, view->out);
            continue;
        }
        while (next < view->guesses.n && view->guesses.items[next].run == run)
            next = print_place(view, next);
        run++;
    }
}

static struct span span_of(const struct view *view, const struct guess *guess)
{
    const struct span *block = &view->blocks[guess->run]->span;

    return (struct span){block->table, block->address + (unsigned)guess->at,
                         encoding_cells(&guess->encoding)};
}

static void choose(struct view *view, const struct guess *guess, double divide)
{
    view->choices[view->n_choices++] =
        (struct probe_choice){view->unit->unit, span_of(view, guess), guess->encoding, divide};
}

static void print_pick(const struct view *view, const struct guess_pick *pick)
{
    struct span span = span_of(view, pick->guess);

    fprintf(view->out, "//   %5.1f %%  %s %u ", pick->plausibility * 100, table_names[span.table],
            span.address);
    print_encoding(&pick->guess->encoding, view->out);
    if (pick->divide != 1)
        fprintf(view->out, " / %g", pick->divide);
    fputs(" = ", view->out);
    print_number(pick->guess->encoding.type, pick->guess->number / pick->divide, view->out);
    fputc('\n', view->out);
}

/* Picks for one of the expected values. True: there is one. */
static bool pick_expected(struct view *view, const struct expectation *expected)
{
    struct guess_pick picks[RIVALS];
    size_t n = guess_pick(picks, RIVALS, &view->guesses, expected);

    fprintf(view->out, "// unit %u, %g±%g%s\n", view->unit->unit, expected->value,
            expected->tolerance, n ? ":" : " is nowhere");
    for (size_t i = 0; i < n; i++)
        print_pick(view, &picks[i]);
    if (n)
        choose(view, picks[0].guess, picks[0].divide);
    return n > 0;
}

static void pick_likely(struct view *view)
{
    size_t end = view->n_choices + READING_FIELDS_MAX;

    for (size_t i = 0; i < view->guesses.n && view->n_choices < end; i++) {
        const struct guess *guess = &view->guesses.items[i];

        if (guess->plausibility > LIKELY && isfinite(guess->number))
            choose(view, guess, 1);
    }
}

static int open_view(struct view *view, const struct probe_unit *unit)
{
    struct probe_choice *grown =
        realloc(view->choices,
                (view->n_choices + READING_FIELDS_MAX + view->report->n_expected) * sizeof *grown);

    if (!grown)
        return -ENOMEM;
    view->choices = grown;
    view->unit = unit;
    view->n_runs = 0;
    view->blocks = calloc(unit->n_blocks + 1, sizeof(*view->blocks));
    view->runs = calloc(unit->n_blocks + 1, sizeof *view->runs);
    if (!view->blocks || !view->runs)
        return -ENOMEM;
    for (size_t i = 0; i < unit->n_blocks; i++) {
        const struct probe_block *block = &unit->blocks[i];

        if (table_is_bits(block->span.table))
            continue;
        view->blocks[view->n_runs] = block;
        view->runs[view->n_runs++] = (struct guess_run){block->cells, block->span.count};
    }
    return guess(&view->guesses, view->runs, view->n_runs);
}

static void close_view(struct view *view)
{
    guess_free(&view->guesses);
    free(view->runs);
    free(view->blocks);
    view->runs = NULL;
    view->blocks = NULL;
}

/* Shows one unit and picks from it; each expected value that it has is marked in `met`. */
static void show(struct view *view, bool *met)
{
    print_blocks(view);
    for (size_t i = 0; i < view->report->n_expected; i++)
        if (pick_expected(view, &view->report->expected[i]))
            met[i] = true;
    if (view->report->n_expected == 0)
        pick_likely(view);
}

static void print_remarks(const struct probe *probe, FILE *out)
{
    if (probe->any_unit)
        fputs("// The server answers whatever the unit: it was looked at once.\n", out);
    if (probe->garbled)
        fprintf(out, "// %u answers made no sense: are baud and parity right?\n", probe->garbled);
    if (probe->cut_short)
        fputs("// CUT SHORT, the time was over or the link gone: what follows is not all.\n", out);
    if (probe->n_units == 0)
        fputs("// No unit answers.\n", out);
}

static int print_entry(const struct view *view)
{
    struct buffer text = {0};
    int rc;

    probe_entry_write(&text, view->report->bus, view->choices, view->n_choices);
    rc = text.failed ? -ENOMEM : 0;
    fputs(buffer_string(&text), view->out);
    buffer_free(&text);
    return rc;
}

int probe_report(const struct probe_report *report, const struct probe *probe, FILE *out)
{
    struct view view = {.report = report, .out = out};
    bool *met = calloc(report->n_expected + 1, sizeof *met);
    int rc = met ? 0 : -ENOMEM;

    print_remarks(probe, out);
    for (size_t i = 0; i < probe->n_units && rc == 0; i++) {
        rc = open_view(&view, &probe->units[i]);
        if (rc == 0)
            show(&view, met);
        close_view(&view);
    }
    if (rc == 0 && view.n_choices)
        rc = print_entry(&view);
    for (size_t i = 0; i < report->n_expected && rc >= 0; i++)
        rc += !met[i];
    free(view.choices);
    free(met);
    return rc;
}
