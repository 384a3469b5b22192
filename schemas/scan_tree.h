/* scan_tree.h: the tree of names in the form that scan.c walks; private to scan.c, scan_tree.c. */
#ifndef SCHEMAS_SCAN_TREE_H
#define SCHEMAS_SCAN_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/feature.h"
#include "core/json.h"

typedef uint8_t scan_block __attribute__((vector_size(16)));

enum {
    SCAN_NONE = UINT32_MAX,
    SCAN_ONE_PATH = UINT16_MAX,
    SCAN_PATTERN = 2 * sizeof(scan_block),
};

/* The type of the target that is no feature: the root of an envelope's content. */
enum { SCAN_ROOT = UINT16_MAX };

/* A feature that takes a value. */
struct scan_target {
    uint16_t slot;
    uint16_t rank; /* which of its paths this is */
    uint16_t turn; /* features with several paths: number in `taken`; else SCAN_ONE_PATH */
    uint16_t type; /* enum feature_type, or SCAN_ROOT */
};

/* What takes a value into the score. */
struct scan_keep {
    uint16_t slot;
    bool is_time;
};

struct scan_key {
    scan_block pattern[2], mask[2]; /* name":  with as many bytes of the mask set */
    const char *name;
    uint32_t len;
    uint32_t node;
    uint32_t next;    /* the key that came behind this one last time, or NONE */
    bool has_pattern; /* fits the pattern, and stands in JSON as it is */
};

struct scan_index {
    size_t index;
    uint32_t node;
};

struct scan_range {
    uint32_t first, count;
};

struct scan_node {
    struct scan_range targets;    /* want the value itself */
    struct scan_range named;      /* targets anywhere below, through a name */
    struct scan_range indexed;    /* targets anywhere below, through an index */
    struct scan_range keeps;      /* the value itself is carried */
    struct scan_range kept;       /* all that is carried from here or below */
    struct scan_range keys;       /* children by name */
    struct scan_range indexes;    /* children by index, rising */
    uint32_t bucket, bucket_mask; /* hash of keys: buckets[bucket + (hash & mask)], key or NONE */
    uint32_t guess;               /* first key of this object last time, or NONE */
    bool feeds;                   /* a feature or the root, here or below */
    bool is_number;               /* one number, one path, nothing below: the common case */
    uint16_t slot;                /* is_number: the feature */
    uint64_t round;               /* of the event that had it last */
};

struct scan_tree {
    struct scan_node *nodes; /* the first is the root */
    struct scan_key *keys;
    struct scan_index *indexes;
    struct scan_target *targets;
    struct scan_keep *keeps;
    uint32_t *buckets;
    size_t node_count, node_cap, key_count, key_cap, index_count, index_cap;
    size_t target_count, target_cap, bucket_count, bucket_cap;
    size_t keep_count, keep_cap;
    size_t turn_count;   /* features with several paths */
    size_t longest_text; /* of all names and values of tables */
};

void scan_tree_init(struct scan_tree *tree, const struct features *features);
void scan_tree_release(struct scan_tree *tree);

/* The node's key of that text (escapes resolved), or SCAN_NONE. */
uint32_t scan_tree_find(const struct scan_tree *tree, const struct scan_node *node,
                        const char *text, size_t len);

#endif
