/* compare_json.c: a comparison for programs. */
#include <math.h>
#include <stdio.h>

#include "cli/compare_view.h"
#include "core/clock.h"

/* Scores that are published may be far apart. */
static json_t *real(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

static json_t *integer(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static json_t *place(const struct compare_view *v, const struct comparison_place *p)
{
    const struct replay_part *part = &v->result->fates.window.parts[p->part];

    return json_pack("{s:s,s:i,s:I}", "topic", part->topic, "partition", (int)part->partition,
                     "offset", (json_int_t)p->offset);
}

static json_t *time_of(int64_t ms)
{
    char text[CLOCK_TEXT_MAX];

    clock_print(text, ms);
    return json_string(text);
}

static json_t *counts(const struct tally *t)
{
    json_t *json = json_object();

    for (int i = 0; i < RELATION_COUNT; i++)
        json_object_set_new(json, compare_view_name((enum relation)i), integer(t->counts[i]));
    return json;
}

/* Adds to an object that says whose they are. */
static json_t *tally(json_t *json, const struct tally *t)
{
    json_object_set_new(json, "records", integer(tally_total(t)));
    json_object_set_new(json, "differing", integer(tally_differing(t)));
    json_object_set_new(json, "flips", integer(t->flips));
    json_object_set_new(json, "sum", real(t->sum));
    json_object_set_new(json, "largest", real(t->largest));
    json_object_set_new(json, "counts", counts(t));
    return json;
}

static json_t *side(const struct compare_view *v, enum side side)
{
    const struct compare_result *r = v->result;
    const uint64_t *outcomes = r->comparison.outcomes[side];
    json_t *json = json_pack("{s:o,s:o}", "scores", integer(outcomes[FATE_SCORE]), "dead",
                             integer(outcomes[FATE_DEAD]));

    if (*r->names[side]) {
        json_object_set_new(json, "bundle", paint_json(r->names[side]));
        json_object_set_new(json, "skipped", json_integer(r->replays[side].all.skipped));
        json_object_set_new(json, "gone", json_integer(r->replays[side].all.lost));
        return json;
    }
    json_object_set_new(json, "topics", json_pack("[s,s]", v->scores, v->dead));
    json_object_set_new(json, "read", integer(r->published.records));
    json_object_set_new(json, "of_the_window", integer(r->published.kept));
    json_object_set_new(json, "of_other_bundles", integer(r->published.other_bundle));
    json_object_set_new(json, "unreadable", integer(r->published.unreadable));
    json_object_set_new(json, "gone", json_integer(r->published.lost));
    json_object_set_new(json, "duplicates", integer(r->comparison.others.duplicates));
    json_object_set_new(json, "contrary", integer(r->comparison.others.contrary));
    json_object_set_new(json, "superseded", integer(r->comparison.others.superseded));
    json_object_set_new(json, "resolved", integer(r->comparison.others.resolved));
    json_object_set_new(json, "letters", integer(r->comparison.others.letters));
    json_object_set_new(json, "several", integer(r->comparison.others.records));
    return json;
}

static json_t *firsts(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    json_t *json = json_object();

    for (int i = 0; i < RELATION_COUNT; i++)
        if (c->all.counts[i] > 0)
            json_object_set_new(json, compare_view_name((enum relation)i), place(v, &c->first[i]));
    return json;
}

/* [10^low, 10^high) or the same below 0, by the decade's number. */
static json_t *histogram(const struct comparison *c)
{
    json_t *list = json_array();

    for (int i = 0; i < 2 * DECADES; i++) {
        int sign = i >= DECADES, decade = sign ? i - DECADES : DECADES - 1 - i;
        if (c->decades[sign][decade] > 0)
            json_array_append_new(list, json_pack("{s:i,s:i,s:o}", "sign", sign ? 1 : -1,
                                                  "below_ten_to", decade + DECADE_LOW, "count",
                                                  integer(c->decades[sign][decade])));
    }
    return list;
}

static json_t *differences(const struct comparison *c)
{
    json_t *quantiles = json_object();
    char name[16];

    for (int i = 0; i < QUANTILES; i++) {
        snprintf(name, sizeof name, "%g", comparison_quantiles[i]);
        json_object_set_new(quantiles, name, real(c->quantiles[i]));
    }
    return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "scored", integer(c->scored), "zero",
                     integer(c->zero), "mean", real(c->scored ? c->sum / (double)c->scored : 0),
                     "mean_size", real(c->scored ? c->abs_sum / (double)c->scored : 0), "quantiles",
                     quantiles, "histogram", histogram(c));
}

static json_t *flips(const struct compare_view *v)
{
    const struct words *words = &v->result->fates.decisions;
    json_t *list = json_array();

    for (uint32_t i = 0; i < FLIP_WORDS * FLIP_WORDS; i++)
        if (v->result->comparison.flips[i] > 0)
            json_array_append_new(list,
                                  json_pack("{s:o,s:o,s:o}", "from",
                                            paint_json(words_text(words, i / FLIP_WORDS)), "to",
                                            paint_json(words_text(words, i % FLIP_WORDS)), "count",
                                            integer(v->result->comparison.flips[i])));
    return list;
}

static json_t *reasons(const struct compare_view *v, const uint64_t *counts)
{
    const struct words *faults = &v->result->fates.faults;
    json_t *json = json_array();

    for (uint32_t i = 0; i < words_count(faults); i++)
        if (counts[i] > 0)
            json_array_append_new(json, json_pack("{s:o,s:o}", "reason",
                                                  paint_json(words_text(faults, i)), "count",
                                                  integer(counts[i])));
    return json;
}

static json_t *largest(const struct compare_view *v)
{
    const struct words *words = &v->result->fates.decisions;
    json_t *list = json_array();

    for (size_t i = 0; i < v->result->comparison.largest_count; i++) {
        const struct difference *d = &v->result->comparison.largest[i];
        json_t *json = place(v, &d->place);
        json_object_set_new(json, "event_time", time_of(d->event_time_ms));
        json_object_set_new(json, "there", json_real(d->there));
        json_object_set_new(json, "here", json_real(d->here));
        json_object_set_new(json, "from", paint_json(words_text(words, d->decision_there)));
        json_object_set_new(json, "to", paint_json(words_text(words, d->decision_here)));
        json_array_append_new(list, json);
    }
    return list;
}

static json_t *by_word(const struct words *words, const struct tally *tallies, const char *name)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < words_count(words); i++)
        if (tally_total(&tallies[i]) > 0)
            json_array_append_new(
                list,
                tally(json_pack("{s:o}", name, paint_json(words_text(words, i))), &tallies[i]));
    return list;
}

static json_t *by_time(const struct times *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < t->count; i++)
        json_array_append_new(list, tally(json_pack("{s:o}", "from", time_of(times_start_ms(t, i))),
                                          &t->buckets[i].tally));
    return list;
}

static json_t *by_partition(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    json_t *list = json_array();

    for (size_t i = 0; i < v->result->fates.window.part_count; i++) {
        const struct replay_part *p = &v->result->fates.window.parts[i];
        json_t *json =
            json_pack("{s:s,s:i,s:I,s:I}", "topic", p->topic, "partition", (int)p->partition,
                      "window_from", (json_int_t)p->from, "window_to", (json_int_t)p->to);
        json_object_set_new(json, "parts_at",
                            c->part_first[i].offset < 0 ? json_null()
                                                        : json_integer(c->part_first[i].offset));
        json_array_append_new(list, tally(json, &c->parts[i]));
    }
    return list;
}

void compare_view_print_json(const struct compare_view *v)
{
    const struct comparison *c = &v->result->comparison;
    const struct fates *names = &v->result->fates;
    json_t *json = json_pack(
        "{s:o,s:o,s:f,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "there", side(v, SIDE_THERE),
        "here", side(v, SIDE_HERE), "tolerance", c->tolerance, "all", tally(json_object(), &c->all),
        "first", firsts(v), "difference", differences(c), "decisions", flips(v), "now_dead",
        reasons(v, c->dead_here), "now_scored", reasons(v, c->dead_there), "largest", largest(v),
        "schemas", by_word(&names->schemas, c->schemas, "schema_id"), "bundles_there",
        by_word(&names->models, c->models, "bundle"), "times", by_time(&c->times), "partitions",
        by_partition(v));

    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(json);
}
