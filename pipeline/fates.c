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

size_t fate_bytes(const struct fates *v)
{
    return sizeof(struct fate) + v->output_cap * sizeof(double);
}

void fates_open(struct fates *v, size_t output_cap)
{
    v->output_cap = output_cap;
    v->sorter = sorter_new(fate_bytes(v), BUFFER_BYTES, compare);
    v->room = mem_alloc(1, fate_bytes(v));
}

void fates_release(struct fates *v)
{
    sorter_free(v->sorter);
    replay_state_release(&v->window);
    words_release(&v->decisions);
    words_release(&v->faults);
    words_release(&v->schemas);
    words_release(&v->models);
    free(v->room);
}

void fates_learn(struct fates *v, const struct bundle *bundle)
{
    for (size_t i = 0; i <= bundle->threshold_count; i++)
        if (bundle_decision_name(bundle, i))
            words_add(&v->decisions, slice_of(bundle_decision_name(bundle, i)));
}

bool fates_find(const struct fates *v, struct slice topic, int32_t partition, int64_t offset,
                uint32_t *part)
{
    for (size_t i = 0; i < v->window.part_count; i++) {
        const struct replay_part *p = &v->window.parts[i];
        if (p->partition != partition || !slice_equals(topic, p->topic, strlen(p->topic)))
            continue;
        *part = (uint32_t)i;
        return offset >= p->from && offset < p->to;
    }
    return false;
}

int fates_add(struct fates *v, struct err *err)
{
    return sorter_add(v->sorter, v->room, err);
}

static int shown(struct slice text, int most)
{
    return text.len < (size_t)most ? (int)text.len : most;
}

uint32_t fates_model(struct fates *v, struct slice name, struct slice version, struct slice digest)
{
    enum { NAME = 250, DIGEST = 12 };
    char text[2 * NAME + DIGEST + 8];

    snprintf(text, sizeof text, "%.*s %.*s (%.*s)", shown(name, NAME), (const char *)name.data,
             shown(version, NAME), (const char *)version.data, shown(digest, DIGEST),
             (const char *)digest.data);
    return words_add(&v->models, slice_of(text));
}

uint32_t fates_fault(struct fates *v, struct slice stage, struct slice reason)
{
    enum { PART = 250 };
    char text[2 * PART + 2];

    snprintf(text, sizeof text, "%.*s%s%.*s", shown(stage, PART), (const char *)stage.data,
             stage.len > 0 ? "/" : "", shown(reason, PART), (const char *)reason.data);
    return words_add(&v->faults, slice_of(text));
}

void fates_set_outputs(struct fates *v, const double *outputs, size_t count)
{
    v->room->output_count = (uint32_t)count;
    for (size_t i = 0; i < v->output_cap; i++)
        v->room->outputs[i] = i < count ? outputs[i] : 0;
}
