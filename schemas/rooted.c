#include "schemas/rooted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

/* The steps are copied, their names are not. */
static struct path join(const struct path *root, const struct path *path)
{
    size_t len = (root->step_count ? strlen(root->text) + 1 : 0) + strlen(path->text) + 1;
    struct path out = {.text = mem_alloc(len, 1),
                       .steps = mem_alloc(root->step_count + path->step_count, sizeof *out.steps)};

    snprintf(out.text, len, "%s%s%s", root->step_count ? root->text : "",
             root->step_count ? "." : "", path->text);
    for (size_t i = 0; i < root->step_count; i++)
        out.steps[out.step_count++] = root->steps[i];
    for (size_t i = 0; i < path->step_count; i++)
        out.steps[out.step_count++] = path->steps[i];
    return out;
}

static void release(struct path *path)
{
    free(path->text);
    free(path->steps);
}

void rooted_init(struct features *rooted, const struct features *features,
                 const struct rooted_options *o)
{
    const struct path none = {0}, *root = o->root ? o->root : &none;

    *rooted = (struct features){.items = mem_alloc(features->count, sizeof *rooted->items),
                                .count = features->count,
                                .root = *root,
                                .carries = mem_alloc(o->carry_count + 1, sizeof *rooted->carries)};
    for (size_t i = 0; i < features->count; i++) {
        struct feature *f = &rooted->items[i];
        *f = features->items[i];
        f->paths = mem_alloc(f->path_count, sizeof *f->paths);
        for (size_t k = 0; k < f->path_count; k++)
            f->paths[k] = join(root, &features->items[i].paths[k]);
    }
    for (size_t i = 0; i < o->carry_count; i++)
        rooted->carries[rooted->carry_count++] = join(root, &o->carry[i]);
    rooted->has_time = o->event_time && o->event_time->step_count != 0;
    if (rooted->has_time)
        rooted->carries[rooted->carry_count++] = join(root, o->event_time);
}

void rooted_release(struct features *rooted)
{
    for (size_t i = 0; i < rooted->count; i++) {
        for (size_t k = 0; k < rooted->items[i].path_count; k++)
            release(&rooted->items[i].paths[k]);
        free(rooted->items[i].paths);
    }
    for (size_t i = 0; i < rooted->carry_count; i++)
        release(&rooted->carries[i]);
    free(rooted->carries);
    free(rooted->items);
    *rooted = (struct features){0};
}
