#include "schemas/wish.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"

static bool is_same_step(const struct wish *w, const struct step *step)
{
    if ((w->kind == STEP_INDEX) != (step->kind == STEP_INDEX))
        return false;
    if (step->kind == STEP_INDEX)
        return w->index == step->index;
    return w->name_len == step->name_len && memcmp(w->name, step->name, w->name_len) == 0;
}

static struct wish *take_step(struct wish *w, const struct step *step)
{
    for (size_t i = 0; i < w->child_count; i++)
        if (is_same_step(&w->children[i], step))
            return &w->children[i];
    w->children = mem_grow(w->children, w->child_count, &w->child_cap, sizeof *w->children);
    w->children[w->child_count] = (struct wish){
        .kind = step->kind, .name = step->name, .name_len = step->name_len, .index = step->index};
    return &w->children[w->child_count++];
}

void wish_add(struct wish *root, const struct path *path, struct want want)
{
    struct wish *w = root;

    for (size_t i = 0; i < path->step_count; i++)
        w = take_step(w, &path->steps[i]);
    w->wants = mem_grow(w->wants, w->want_count, &w->want_cap, sizeof *w->wants);
    w->wants[w->want_count++] = want;
}

void wish_mark_root(struct wish *root, const struct path *path)
{
    struct wish *w = root;

    for (size_t i = 0; i < path->step_count; i++) {
        w->leads_to_root = true;
        w = take_step(w, &path->steps[i]);
    }
    w->is_root = path->step_count != 0;
}

const struct wish *wish_to_root(const struct wish *w, bool is_index)
{
    for (size_t i = 0; w->leads_to_root && i < w->child_count; i++) {
        const struct wish *child = &w->children[i];
        if ((child->is_root || child->leads_to_root) && (child->kind == STEP_INDEX) == is_index)
            return child;
    }
    return NULL;
}

void wish_release(struct wish *root)
{
    for (size_t i = 0; i < root->child_count; i++)
        wish_release(&root->children[i]);
    free(root->children);
    free(root->wants);
}

const struct wish *wish_child(const struct wish *w, const char *name, size_t len)
{
    for (size_t i = 0; i < w->child_count; i++) {
        const struct wish *child = &w->children[i];
        if (child->kind != STEP_INDEX && child->name_len == len &&
            memcmp(child->name, name, len) == 0)
            return child;
    }
    return NULL;
}

size_t wish_count(const struct wish *w, bool is_index)
{
    size_t count = 0;

    for (size_t i = 0; i < w->child_count; i++)
        count += (w->children[i].kind == STEP_INDEX) == is_index;
    return count;
}
