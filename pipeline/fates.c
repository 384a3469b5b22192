#include "pipeline/fates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

enum { BUFFER_BYTES = 16 << 20 };

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare(const void *a, const void *b)
{
    const struct fate *x = a, *y = b;
    int by;

    if ((by = order(x->part, y->part)) == 0 && (by = order(x->offset, y->offset)) == 0 &&
        (by = order(x->side, y->side)) == 0 && (by = order(x->where, y->where)) == 0)
        by = order(x->where_offset, y->where_offset);
    return by;
}

size_t fate_bytes(const struct fates *f)
{
    return sizeof(struct fate) + f->output_cap * sizeof(double);
}

void fates_open(struct fates *f, size_t output_cap)
{
    f->output_cap = output_cap;
    f->sorter = sorter_new(fate_bytes(f), BUFFER_BYTES, compare);
    f->room = mem_alloc(1, fate_bytes(f));
}

void fates_release(struct fates *f)
{
    sorter_free(f->sorter);
    replay_state_release(&f->window);
    words_release(&f->decisions);
    words_release(&f->faults);
    words_release(&f->schemas);
    words_release(&f->models);
    free(f->room);
}

void fates_learn(struct fates *f, const struct bundle *bundle)
{
    for (size_t i = 0; i <= bundle->threshold_count; i++)
        if (bundle_decision_name(bundle, i))
            words_add(&f->decisions, slice_of(bundle_decision_name(bundle, i)));
}

bool fates_find(const struct fates *f, struct slice topic, int32_t partition, int64_t offset,
                uint32_t *part)
{
    for (size_t i = 0; i < f->window.part_count; i++) {
        const struct replay_part *p = &f->window.parts[i];
        if (p->partition != partition || !slice_equals(topic, p->topic, strlen(p->topic)))
            continue;
        *part = (uint32_t)i;
        return offset >= p->from && offset < p->to;
    }
    return false;
}

int fates_add(struct fates *f, struct err *err)
{
    return sorter_add(f->sorter, f->room, err);
}

static int shown(struct slice text, int most)
{
    return text.len < (size_t)most ? (int)text.len : most;
}

uint32_t fates_model(struct fates *f, struct slice name, struct slice version, struct slice digest)
{
    enum { NAME = 250, DIGEST = 12 };
    char text[2 * NAME + DIGEST + 8];

    snprintf(text, sizeof text, "%.*s %.*s (%.*s)", shown(name, NAME), (const char *)name.data,
             shown(version, NAME), (const char *)version.data, shown(digest, DIGEST),
             (const char *)digest.data);
    return words_add(&f->models, slice_of(text));
}

uint32_t fates_fault(struct fates *f, struct slice stage, struct slice reason)
{
    enum { PART = 250 };
    char text[2 * PART + 2];

    snprintf(text, sizeof text, "%.*s%s%.*s", shown(stage, PART), (const char *)stage.data,
             stage.len > 0 ? "/" : "", shown(reason, PART), (const char *)reason.data);
    return words_add(&f->faults, slice_of(text));
}

void fates_set_outputs(struct fates *f, const double *outputs, size_t count)
{
    f->room->output_count = (uint32_t)count;
    for (size_t i = 0; i < f->output_cap; i++)
        f->room->outputs[i] = i < count ? outputs[i] : 0;
}
