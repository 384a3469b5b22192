#include "schemas/scan_tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/mem.h"
#include "schemas/wish.h"

static uint32_t hash(const char *text, size_t len)
{
    uint64_t head = 0, tail = 0;

    if (len >= 8) {
        memcpy(&head, text, 8);
        memcpy(&tail, text + len - 8, 8);
    } else {
        for (size_t i = 0; i < len; i++)
            head = head << 8 | (unsigned char)text[i];
    }
    head = (head ^ tail * 0x9e3779b97f4a7c15 ^ len) * 0xd6e8feb86659fd93;
    return (uint32_t)(head >> 40);
}

static uint32_t *bucket_of(const struct scan_tree *t, const struct scan_node *n, const char *text,
                           size_t len)
{
    uint32_t i = hash(text, len) & n->bucket_mask;

    for (;; i = (i + 1) & n->bucket_mask) {
        uint32_t *bucket = &t->buckets[n->bucket + i];
        if (*bucket == SCAN_NONE ||
            (t->keys[*bucket].len == len && memcmp(t->keys[*bucket].name, text, len) == 0))
            return bucket;
    }
}

uint32_t scan_tree_find(const struct scan_tree *tree, const struct scan_node *node,
                        const char *text, size_t len)
{
    return node->keys.count ? *bucket_of(tree, node, text, len) : SCAN_NONE;
}

/* ---- building */

struct builder {
    struct scan_tree *tree;
    const struct features *features;
    uint16_t *turns; /* per feature */
};

static void add_targets(struct builder *b, const struct wish *w)
{
    struct scan_tree *t = b->tree;

    for (size_t i = 0; i < w->want_count; i++) {
        size_t slot = w->wants[i].slot;
        if (slot >= b->features->count)
            continue;
        t->targets = mem_grow(t->targets, t->target_count, &t->target_cap, sizeof *t->targets);
        t->targets[t->target_count++] =
            (struct scan_target){(uint16_t)slot, (uint16_t)w->wants[i].rank, b->turns[slot],
                                 (uint16_t)b->features->items[slot].type};
    }
    if (w->is_root) {
        t->targets = mem_grow(t->targets, t->target_count, &t->target_cap, sizeof *t->targets);
        t->targets[t->target_count++] =
            (struct scan_target){.turn = SCAN_ONE_PATH, .type = SCAN_ROOT};
    }
}

static void add_below(struct builder *b, const struct wish *w)
{
    add_targets(b, w);
    for (size_t i = 0; i < w->child_count; i++)
        add_below(b, &w->children[i]);
}

/* Lists all targets through children of one sort. */
static struct scan_range list_below(struct builder *b, const struct wish *w, bool is_index)
{
    struct scan_range range = {(uint32_t)b->tree->target_count, 0};

    for (size_t i = 0; i < w->child_count; i++)
        if ((w->children[i].kind == STEP_INDEX) == is_index)
            add_below(b, &w->children[i]);
    range.count = (uint32_t)b->tree->target_count - range.first;
    return range;
}

static void add_keeps(struct builder *b, const struct wish *w, bool with_below)
{
    struct scan_tree *t = b->tree;
    const struct features *f = b->features;

    for (size_t i = 0; i < w->want_count; i++) {
        size_t slot = w->wants[i].slot;
        if (slot < f->count)
            continue;
        slot -= f->count;
        t->keeps = mem_grow(t->keeps, t->keep_count, &t->keep_cap, sizeof *t->keeps);
        t->keeps[t->keep_count++] =
            (struct scan_keep){(uint16_t)slot, f->has_time && slot == f->carry_count - 1};
    }
    for (size_t i = 0; with_below && i < w->child_count; i++)
        add_keeps(b, &w->children[i], true);
}

static struct scan_range list_keeps(struct builder *b, const struct wish *w, bool with_below)
{
    size_t first = b->tree->keep_count;

    add_keeps(b, w, with_below);
    return (struct scan_range){(uint32_t)first, (uint32_t)(b->tree->keep_count - first)};
}

static bool stands_as_it_is(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            return false;
    }
    return len + 2 <= SCAN_PATTERN;
}

static void set_pattern(struct scan_key *key)
{
    uint8_t pattern[SCAN_PATTERN] = {0}, mask[SCAN_PATTERN] = {0};

    key->has_pattern = stands_as_it_is(key->name, key->len);
    if (!key->has_pattern)
        return;
    memcpy(pattern, key->name, key->len);
    memcpy(pattern + key->len, "\":", 2);
    memset(mask, 0xff, key->len + 2);
    memcpy(key->pattern, pattern, sizeof pattern);
    memcpy(key->mask, mask, sizeof mask);
}

static void hash_keys(struct scan_tree *t, struct scan_node *n)
{
    uint32_t count = 4;

    while (count < n->keys.count * 2)
        count *= 2;
    n->bucket = (uint32_t)t->bucket_count;
    n->bucket_mask = count - 1;
    t->buckets = mem_resize(t->buckets, t->bucket_count + count, sizeof *t->buckets);
    memset(t->buckets + t->bucket_count, 0xff, count * sizeof *t->buckets);
    t->bucket_count += count;
    for (uint32_t i = n->keys.first; i < n->keys.first + n->keys.count; i++)
        *bucket_of(t, n, t->keys[i].name, t->keys[i].len) = i;
}

static void add_child(struct builder *b, const struct wish *w, uint32_t node)
{
    struct scan_tree *t = b->tree;

    if (w->kind == STEP_INDEX) {
        t->indexes = mem_grow(t->indexes, t->index_count, &t->index_cap, sizeof *t->indexes);
        t->indexes[t->index_count++] = (struct scan_index){w->index, node};
        return;
    }
    if (t->key_count == t->key_cap) { /* aligned for the vectors, so not mem_grow */
        struct scan_key *keys = mem_alloc_aligned(t->key_cap * 2 + 16, sizeof *keys);
        if (t->key_count)
            memcpy(keys, t->keys, t->key_count * sizeof *keys);
        free(t->keys);
        t->keys = keys;
        t->key_cap = t->key_cap * 2 + 16;
    }
    t->keys[t->key_count] = (struct scan_key){
        .name = w->name, .len = (uint32_t)w->name_len, .node = node, .next = SCAN_NONE};
    set_pattern(&t->keys[t->key_count++]);
    if (w->name_len > t->longest_text)
        t->longest_text = w->name_len;
}

static int compare_indexes(const void *a, const void *b)
{
    const struct scan_index *x = a, *y = b;

    return (x->index > y->index) - (x->index < y->index);
}

static uint32_t add_node(struct scan_tree *t)
{
    t->nodes = mem_grow(t->nodes, t->node_count, &t->node_cap, sizeof *t->nodes);
    t->nodes[t->node_count] = (struct scan_node){.guess = SCAN_NONE};
    return (uint32_t)t->node_count++;
}

static void fill_node(struct builder *b, const struct wish *w, uint32_t number)
{
    struct scan_tree *t = b->tree;
    uint32_t first = (uint32_t)t->node_count;
    struct scan_node n = {.guess = SCAN_NONE};

    n.targets.first = (uint32_t)t->target_count;
    add_targets(b, w);
    n.targets.count = (uint32_t)t->target_count - n.targets.first;
    n.named = list_below(b, w, false);
    n.indexed = list_below(b, w, true);
    n.keeps = list_keeps(b, w, false);
    n.kept = list_keeps(b, w, true);
    n.feeds = n.targets.count + n.named.count + n.indexed.count != 0;
    n.keys = (struct scan_range){(uint32_t)t->key_count, (uint32_t)wish_count(w, false)};
    n.indexes = (struct scan_range){(uint32_t)t->index_count, (uint32_t)wish_count(w, true)};
    for (size_t i = 0; i < w->child_count; i++)
        add_child(b, &w->children[i], add_node(t));
    if (n.indexes.count)
        qsort(t->indexes + n.indexes.first, n.indexes.count, sizeof *t->indexes, compare_indexes);
    if (n.keys.count)
        hash_keys(t, &n);
    n.is_number = n.targets.count == 1 && n.keeps.count == 0 && w->child_count == 0 &&
                  t->targets[n.targets.first].type == FEATURE_NUMBER &&
                  t->targets[n.targets.first].turn == SCAN_ONE_PATH;
    n.slot = n.targets.count ? t->targets[n.targets.first].slot : 0;
    t->nodes[number] = n;
    for (size_t i = 0; i < w->child_count; i++)
        fill_node(b, &w->children[i], first + (uint32_t)i);
}

static void note_value(void *arg, const char *value, size_t len, int32_t code)
{
    struct scan_tree *tree = arg;

    (void)value, (void)code;
    if (len > tree->longest_text)
        tree->longest_text = len;
}

void scan_tree_init(struct scan_tree *tree, const struct features *features)
{
    struct builder b = {tree, features, mem_alloc(features->count, sizeof(uint16_t))};
    struct wish root = {.kind = STEP_FIELD};

    /* Never NULL: C allows no step from there, not even of 0. */
    *tree = (struct scan_tree){.targets = mem_alloc(1, sizeof *tree->targets),
                               .indexes = mem_alloc(1, sizeof *tree->indexes),
                               .keeps = mem_alloc(1, sizeof *tree->keeps),
                               .target_cap = 1,
                               .keep_cap = 1,
                               .index_cap = 1};
    for (size_t i = 0; i < features->count; i++) {
        const struct feature *f = &features->items[i];
        b.turns[i] = f->path_count > 1 ? (uint16_t)tree->turn_count++ : SCAN_ONE_PATH;
        for (size_t rank = 0; rank < f->path_count; rank++)
            wish_add(&root, &f->paths[rank], (struct want){i, rank});
        if (f->table)
            category_each(f->table, note_value, tree);
    }
    for (size_t i = 0; i < features->carry_count; i++)
        wish_add(&root, &features->carries[i], (struct want){features->count + i, 0});
    wish_mark_root(&root, &features->root);
    fill_node(&b, &root, add_node(tree));
    wish_release(&root);
    free(b.turns);
}

void scan_tree_release(struct scan_tree *tree)
{
    free(tree->nodes);
    free(tree->keys);
    free(tree->indexes);
    free(tree->targets);
    free(tree->keeps);
    free(tree->buckets);
    *tree = (struct scan_tree){0};
}
