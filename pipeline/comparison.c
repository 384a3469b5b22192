#include "pipeline/comparison.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { BUFFER_BYTES = 4 << 20, GROUP_MODELS = 16 };

const double comparison_quantiles[QUANTILES] = {0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1};

/* ---- one record: what both sides have of it */

/* What was published for it by one bundle. */
struct by_model {
    uint16_t model, word;
    double score; /* the last one's */
    uint64_t count, contrary;
};

struct joint {
    bool has_here, has_best, has_last, has_dead;
    struct fate *here, *best, *last, *dead; /* last: of the partition that is being looked at */
    struct by_model models[GROUP_MODELS];
    size_t model_count;
    uint64_t scores, letters;
};

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void copy(const struct fates *f, struct fate *to, const struct fate *from)
{
    memcpy(to, from, fate_bytes(f));
}

/* The last of a partition is known: is it the one that counts? */
static void fold(const struct fates *f, struct joint *j)
{
    if (!j->has_last)
        return;
    if (!j->has_best || j->last->stamp_ms >= j->best->stamp_ms)
        copy(f, j->best, j->last);
    j->has_best = true;
    j->has_last = false;
}

static void note_model(struct joint *j, const struct fate *one)
{
    size_t i = 0;

    while (i < j->model_count && j->models[i].model != one->model)
        i++;
    if (i == GROUP_MODELS)
        return;
    if (i == j->model_count)
        j->models[j->model_count++] = (struct by_model){.model = one->model};
    else if (!same_bits(one->score, j->models[i].score) || one->word != j->models[i].word)
        j->models[i].contrary++;
    j->models[i].count++;
    j->models[i].score = one->score;
    j->models[i].word = one->word;
}

static void take(const struct fates *f, struct joint *j, const struct fate *one)
{
    if (one->side == SIDE_HERE) {
        copy(f, j->here, one);
        j->has_here = true;
    } else if (one->kind == FATE_DEAD) {
        if (!j->has_dead || one->where == j->dead->where || one->stamp_ms >= j->dead->stamp_ms)
            copy(f, j->dead, one);
        j->has_dead = true;
        j->letters++;
    } else {
        if (j->has_last && j->last->where != one->where)
            fold(f, j);
        copy(f, j->last, one);
        j->has_last = true;
        j->scores++;
        note_model(j, one);
    }
}

/* ---- the account */

static double difference_of(const struct fate *there, const struct fate *here)
{
    return here->score - there->score;
}

static bool outputs_within(const struct fates *f, const struct fate *a, const struct fate *b,
                           double tolerance)
{
    size_t count = a->output_count < f->output_cap ? a->output_count : f->output_cap;

    if (a->output_count != b->output_count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!same_bits(a->outputs[i], b->outputs[i]) &&
            !(fabs(a->outputs[i] - b->outputs[i]) <= tolerance && tolerance > 0))
            return false;
    return true;
}

static enum relation relate_scores(const struct comparison *c, const struct fate *there,
                                   const struct fate *here)
{
    bool is_same = same_bits(there->score, here->score);

    if (!words_is_same(there->word, here->word))
        return RELATION_CHANGED;
    if (is_same && outputs_within(c->fates, there, here, 0))
        return RELATION_EQUAL;
    if (c->tolerance > 0 && fabs(difference_of(there, here)) <= c->tolerance &&
        outputs_within(c->fates, there, here, c->tolerance))
        return RELATION_CLOSE;
    return RELATION_CHANGED;
}

static enum relation relate(const struct comparison *c, const struct fate *there,
                            const struct fate *here)
{
    if (!there)
        return RELATION_ONLY_HERE;
    if (!here)
        return RELATION_ONLY_THERE;
    if (there->kind != here->kind)
        return here->kind == FATE_DEAD ? RELATION_NOW_DEAD : RELATION_NOW_SCORED;
    if (here->kind == FATE_DEAD)
        return words_is_same(there->word, here->word) ? RELATION_EQUAL : RELATION_REASON;
    return relate_scores(c, there, here);
}

static void count_others(struct comparison *c, const struct joint *j)
{
    struct comparison_others *o = &c->others;

    if (j->scores + j->letters > 1)
        o->records++;
    if (j->scores == 0) {
        o->letters += j->letters > 0 ? j->letters - 1 : 0;
        return;
    }
    o->resolved += j->letters;
    for (size_t i = 0; i < j->model_count; i++) {
        const struct by_model *m = &j->models[i];
        if (m->model != j->best->model)
            continue;
        o->duplicates += m->count - 1;
        o->contrary += m->contrary;
        o->superseded += j->scores - m->count;
        return;
    }
    o->superseded += j->scores - 1;
}

/* Largest first; of equal ones the first met. */
static void keep_largest(struct comparison *c, const struct difference *d)
{
    double size = fabs(d->here - d->there);
    size_t at = c->largest_count;

    if (size == 0)
        return;
    while (at > 0 && fabs(c->largest[at - 1].here - c->largest[at - 1].there) < size)
        at--;
    if (at == LARGEST)
        return;
    c->largest_count += c->largest_count < LARGEST;
    memmove(&c->largest[at + 1], &c->largest[at], (c->largest_count - at - 1) * sizeof *c->largest);
    c->largest[at] = *d;
}

static size_t decade_of(double size)
{
    double exponent = floor(log10(size)) + 1;

    if (exponent < DECADE_LOW)
        return 0;
    return (size_t)((exponent > DECADE_HIGH ? DECADE_HIGH : (int)exponent) - DECADE_LOW);
}

static size_t flip_word(uint32_t word)
{
    return word < FLIP_WORDS ? word : WORDS_OTHERS;
}

static int account_scores(struct comparison *c, const struct fate *there, const struct fate *here,
                          struct err *err)
{
    const struct difference d = {.place = {here->part, here->offset},
                                 .event_time_ms = here->event_time_ms,
                                 .there = there->score,
                                 .here = here->score,
                                 .decision_there = there->word,
                                 .decision_here = here->word};
    double difference = difference_of(there, here);

    c->scored++;
    c->flips[flip_word(there->word) * FLIP_WORDS + flip_word(here->word)]++;
    keep_largest(c, &d);
    if (difference == 0) {
        c->zero++;
        return 0;
    }
    c->decades[difference > 0][decade_of(fabs(difference))]++;
    c->sum += difference;
    c->abs_sum += fabs(difference);
    return sorter_add(c->differences, &difference, err);
}

static void account_tallies(struct comparison *c, const struct fate *there, const struct fate *here,
                            enum relation relation)
{
    const struct fate *one = here ? here : there, *other = there ? there : here;
    bool has_both = there && here && there->kind == FATE_SCORE && here->kind == FATE_SCORE;
    bool is_flip = has_both && !words_is_same(there->word, here->word);
    double difference = has_both ? difference_of(there, here) : 0;

    tally_add(&c->all, relation, is_flip, difference);
    tally_add(&c->schemas[one->schema], relation, is_flip, difference);
    tally_add(&c->models[other->model], relation, is_flip, difference);
    tally_add(&c->parts[one->part], relation, is_flip, difference);
    if (one->event_time_ms != -1)
        tally_add(times_find(&c->times, one->event_time_ms), relation, is_flip, difference);
}

static int account(struct comparison *c, const struct joint *j, struct err *err)
{
    const struct fate *here = j->has_here ? j->here : NULL;
    const struct fate *there = j->has_best ? j->best : j->has_dead ? j->dead : NULL;
    const struct fate *one = here ? here : there;
    enum relation relation = relate(c, there, here);

    count_others(c, j);
    if (there)
        c->outcomes[SIDE_THERE][there->kind]++;
    if (here)
        c->outcomes[SIDE_HERE][here->kind]++;
    if (c->all.counts[relation] == 0)
        c->first[relation] = (struct comparison_place){one->part, one->offset};
    if (relation != RELATION_EQUAL && relation != RELATION_CLOSE &&
        c->part_first[one->part].offset < 0)
        c->part_first[one->part] = (struct comparison_place){one->part, one->offset};
    if (relation == RELATION_NOW_DEAD)
        c->dead_here[here->word]++;
    if (relation == RELATION_NOW_SCORED)
        c->dead_there[there->word]++;
    account_tallies(c, there, here, relation);
    return there && here && there->kind == FATE_SCORE && here->kind == FATE_SCORE
               ? account_scores(c, there, here, err)
               : 0;
}

/* ---- all records */

static void joint_init(struct joint *j, const struct fates *f)
{
    *j = (struct joint){.here = mem_alloc(1, fate_bytes(f)),
                        .best = mem_alloc(1, fate_bytes(f)),
                        .last = mem_alloc(1, fate_bytes(f)),
                        .dead = mem_alloc(1, fate_bytes(f))};
}

static void joint_reset(struct joint *j)
{
    *j = (struct joint){.here = j->here, .best = j->best, .last = j->last, .dead = j->dead};
}

static void joint_release(struct joint *j)
{
    free(j->here);
    free(j->best);
    free(j->last);
    free(j->dead);
}

static int finish(struct comparison *c, struct joint *j, struct err *err)
{
    int result;

    fold(c->fates, j);
    result = account(c, j, err);
    joint_reset(j);
    return result;
}

static int join(struct comparison *c, struct sorter *sorter, struct err *err)
{
    struct comparison_place at = {0, -1};
    const void *record;
    struct joint j;
    int got;

    joint_init(&j, c->fates);
    while ((got = sorter_next(sorter, &record, err)) > 0) {
        const struct fate *one = record;
        if (at.offset >= 0 && (one->part != at.part || one->offset != at.offset) &&
            (got = finish(c, &j, err)) != 0)
            break;
        at = (struct comparison_place){one->part, one->offset};
        take(c->fates, &j, one);
    }
    if (got == 0 && at.offset >= 0)
        got = finish(c, &j, err);
    joint_release(&j);
    return got;
}

/* Nearest rank: the smallest with at least that share at or below it; 0 the smallest of all. The
 * zeros lie between those below and those above. */
static int find_quantiles(struct comparison *c, struct err *err)
{
    uint64_t below = 0, seen = 0, total = c->scored;
    const void *record;
    double value = 0;
    int got = 1;

    for (size_t i = 0; i < DECADES; i++)
        below += c->decades[0][i];
    if (sorter_sort(c->differences, err) != 0)
        return -1;
    for (size_t q = 0; q < QUANTILES && total > 0; q++) {
        uint64_t rank = (uint64_t)ceil(comparison_quantiles[q] * (double)total);
        rank = rank == 0 ? 1 : rank;
        for (uint64_t want = rank <= below             ? rank
                             : rank <= below + c->zero ? below
                                                       : rank - c->zero;
             seen < want; seen++) {
            if ((got = sorter_next(c->differences, &record, err)) != 1)
                return got;
            memcpy(&value, record, sizeof value);
        }
        c->quantiles[q] = rank > below && rank <= below + c->zero ? 0 : value;
    }
    return 0;
}

static int compare_numbers(const void *a, const void *b)
{
    double x, y;

    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

int comparison_make(struct comparison *c, struct fates *f, double tolerance, struct err *err)
{
    size_t parts = f->window.part_count;

    *c = (struct comparison){.fates = f, .tolerance = tolerance};
    c->differences = sorter_new(sizeof(double), BUFFER_BYTES, compare_numbers);
    c->flips = mem_alloc((size_t)FLIP_WORDS * FLIP_WORDS, sizeof *c->flips);
    c->dead_here = mem_alloc(WORDS_MAX, sizeof *c->dead_here);
    c->dead_there = mem_alloc(WORDS_MAX, sizeof *c->dead_there);
    c->schemas = mem_alloc(WORDS_MAX, sizeof *c->schemas);
    c->models = mem_alloc(WORDS_MAX, sizeof *c->models);
    c->parts = mem_alloc(parts, sizeof *c->parts);
    c->part_first = mem_alloc(parts, sizeof *c->part_first);
    for (size_t i = 0; i < parts; i++)
        c->part_first[i] = (struct comparison_place){(uint32_t)i, -1};
    if (sorter_sort(f->sorter, err) != 0 || join(c, f->sorter, err) != 0)
        return -1;
    return find_quantiles(c, err);
}

void comparison_release(struct comparison *c)
{
    sorter_free(c->differences);
    free(c->flips);
    free(c->dead_here);
    free(c->dead_there);
    free(c->schemas);
    free(c->models);
    free(c->parts);
    free(c->part_first);
}

uint64_t comparison_records(const struct comparison *c)
{
    return tally_total(&c->all);
}

uint64_t comparison_differing(const struct comparison *c)
{
    return tally_differing(&c->all);
}
