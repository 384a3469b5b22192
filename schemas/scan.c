/* scan.c: one piece, so that the compiler may merge its functions into one pass; see scan.h. Every
 * function takes the place it starts at and gives the place behind what it took, or NULL when
 * `fault` and `stop` say what is wrong and where. Recursion follows the features' paths only
 * (core/feature.h bounds them); what feeds nothing is skipped with a stack of bits. */
#include "schemas/scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/mem.h"
#include "core/text.h"
#include "schemas/bind.h"
#include "schemas/scan_number.h"
#include "schemas/scan_tree.h"

struct scan {
    struct scan_tree tree;
    struct bind bind;
    uint16_t *taken; /* per feature with several paths: rank of the one that was found */
    char *text;      /* room for a text without its escapes */
    size_t text_cap;
    uint64_t *is_array; /* a bit per level of what is skipped */
    unsigned max_depth;
    uint64_t round; /* number of the event */

    /* of this event */
    const char *start, *end, *stop;
    float *row;
    enum fault fault;
    bool has_high;
};

static const char *scan_value(struct scan *s, const struct scan_node *node, const char *p,
                              unsigned depth);

static const char *fail(struct scan *s, const char *p, enum fault fault)
{
    s->fault = fault;
    s->stop = p;
    return NULL;
}

static const char *bad(struct scan *s, const char *p)
{
    return fail(s, p, FAULT_DECODE_BAD_JSON);
}

static size_t at(const struct scan *s, const char *p)
{
    return (size_t)(p - s->start);
}

/* Moves over blanks to something; NULL at the end of the text. */
static inline const char *skip_blanks(struct scan *s, const char *p)
{
    while (p < s->end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p < s->end ? p : bad(s, p);
}

/* As skip_blanks, for where there mostly are none. */
static inline const char *to_next(struct scan *s, const char *p)
{
    return __builtin_expect(p < s->end && (unsigned char)*p > ' ', 1) ? p : skip_blanks(s, p);
}

/* ---- strings */

/* High bit of each byte that is a quote, a backslash or a control character; exact up to the first
 * one (M. Mycroft's test for a zero byte). */
static inline uint64_t special_bytes(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';

    return (((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
            ((word - ones * 0x20) & ~word)) &
           ones * 0x80;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Behind the escape at p (a backslash), or NULL. */
static const char *skip_escape(struct scan *s, const char *p)
{
    if (s->end - p < 2)
        return bad(s, p);
    if (p[1] != 'u')
        return p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) ? p + 2 : bad(s, p);
    if (s->end - p < 6 || !is_hex(p[2]) || !is_hex(p[3]) || !is_hex(p[4]) || !is_hex(p[5]))
        return bad(s, p);
    return p + 6;
}

/* The string whose opening quote is before p: its closing quote. */
static inline const char *skip_text(struct scan *s, const char *p, bool *is_escaped)
{
    uint64_t high = 0;

    *is_escaped = false;
    for (;;) {
        uint64_t word, special = 0;
        while (s->end - p >= 8) {
            memcpy(&word, p, 8);
            high |= word;
            special = special_bytes(word);
            if (special)
                break;
            p += 8;
        }
        if (special)
            p += __builtin_ctzll(special) / 8;
        else
            while (p < s->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
                high |= (uint64_t)(unsigned char)*p++;
        s->has_high |= (high & 0x8080808080808080) != 0;
        if (p == s->end || (*p != '"' && *p != '\\'))
            return bad(s, p);
        if (*p == '"')
            return p;
        *is_escaped = true;
        p = skip_escape(s, p);
        if (!p)
            return NULL;
    }
}

/* The text between start and end (its closing quote) without escapes; NULL when it is longer than
 * any that the features know. */
static const char *plain_text(struct scan *s, const char *start, const char *end, bool is_escaped,
                              size_t *len)
{
    struct json_text text = {start, (size_t)(end - start), is_escaped};

    *len = text.len;
    if (!is_escaped)
        return start;
    if (text.len > s->text_cap)
        return NULL;
    *len = json_unescape(&text, s->text);
    return s->text;
}

/* ---- skipping */

static const char *skip_word(struct scan *s, const char *p, const char *word, size_t len)
{
    return (size_t)(s->end - p) >= len && memcmp(p, word, len) == 0 ? p + len : bad(s, p);
}

static const char *skip_digits(struct scan *s, const char *p)
{
    const char *start = p;

    while (p < s->end && (unsigned char)(*p - '0') < 10)
        p++;
    return p > start ? p : bad(s, p);
}

static const char *skip_number(struct scan *s, const char *p)
{
    const char *first;

    p += *p == '-';
    first = p;
    p = skip_digits(s, p);
    if (p && *first == '0' && p - first > 1)
        return bad(s, first);
    if (p && p < s->end && *p == '.')
        p = skip_digits(s, p + 1);
    if (p && p < s->end && (*p == 'e' || *p == 'E')) {
        p++;
        p += p < s->end && (*p == '-' || *p == '+');
        p = skip_digits(s, p);
    }
    return p;
}

static const char *skip_scalar(struct scan *s, const char *p)
{
    bool is_escaped;

    switch (*p) {
    case '"': p = skip_text(s, p + 1, &is_escaped); return p ? p + 1 : NULL;
    case 't': return skip_word(s, p, "true", 4);
    case 'f': return skip_word(s, p, "false", 5);
    case 'n': return skip_word(s, p, "null", 4);
    default: return skip_number(s, p);
    }
}

/* A key and its colon: where the value starts. */
static const char *skip_key(struct scan *s, const char *p)
{
    bool is_escaped;

    if (*p != '"')
        return bad(s, p);
    p = skip_text(s, p + 1, &is_escaped);
    p = p ? skip_blanks(s, p + 1) : NULL;
    if (p && *p != ':')
        return bad(s, p);
    return p ? skip_blanks(s, p + 1) : NULL;
}

static bool level_is_array(const struct scan *s, unsigned depth)
{
    return s->is_array[depth / 64] >> depth % 64 & 1;
}

/* Enters the container at p: where its first value starts, or, is_empty, its closing sign. */
static const char *enter(struct scan *s, const char *p, unsigned depth, bool *is_empty)
{
    bool is_array = *p == '[';

    if (depth >= s->max_depth)
        return fail(s, p, FAULT_DECODE_TOO_DEEP);
    s->is_array[depth / 64] &= ~((uint64_t)1 << depth % 64);
    s->is_array[depth / 64] |= (uint64_t)is_array << depth % 64;
    p = skip_blanks(s, p + 1);
    *is_empty = p && *p == (is_array ? ']' : '}');
    return p && !is_array && !*is_empty ? skip_key(s, p) : p;
}

/* Behind a value: closes what ends here. Where the next value starts, or behind the outermost
 * container, when *depth has come down to base. */
static const char *leave(struct scan *s, const char *p, unsigned base, unsigned *depth)
{
    while (p && *depth > base) {
        bool is_array = level_is_array(s, *depth - 1);
        p = skip_blanks(s, p);
        if (!p)
            return NULL;
        if (*p == ',') {
            p = skip_blanks(s, p + 1);
            return p && !is_array ? skip_key(s, p) : p;
        }
        if (*p != (is_array ? ']' : '}'))
            return bad(s, p);
        p++;
        (*depth)--;
    }
    return p;
}

/* Any value at p, inside of depth containers. */
static const char *skip_value(struct scan *s, const char *p, unsigned base)
{
    unsigned depth = base;

    do {
        bool is_over = true;
        if (*p == '{' || *p == '[')
            p = enter(s, p, depth++, &is_over);
        else
            p = skip_scalar(s, p);
        if (p && is_over)
            p = leave(s, p, base, &depth);
    } while (p && depth > base);
    return p;
}

/* ---- binding */

/* False when a path further left was found already. */
static inline bool takes(struct scan *s, const struct scan_target *t)
{
    if (t->turn == SCAN_ONE_PATH)
        return true;
    if (s->taken[t->turn] < t->rank)
        return false;
    s->taken[t->turn] = t->rank;
    return true;
}

#define EACH_TARGET(s, range, t)                                                                   \
    for (const struct scan_target *t = (s)->tree.targets + (range).first,                          \
                                  *t##_end = t + (range).count;                                    \
         t < t##_end; t++)                                                                         \
        if (takes(s, t))

static void bind_range_missing(struct scan *s, struct scan_range range, const char *p)
{
    EACH_TARGET(s, range, t)
    {
        if (t->type == SCAN_ROOT)
            bind_set_root(&s->bind, ROOT_NULL, at(s, p));
        else
            bind_missing(&s->bind, s->row, t->slot, at(s, p));
    }
}

static void bind_wrong(struct scan *s, const struct scan_target *t, const char *p)
{
    if (t->type == SCAN_ROOT)
        bind_set_root(&s->bind, ROOT_WRONG, at(s, p));
    else
        bind_fault(&s->bind, s->row, t->slot, FAULT_BIND_WRONG_TYPE, at(s, p));
}

static void bind_range_wrong(struct scan *s, struct scan_range range, const char *p)
{
    EACH_TARGET(s, range, t) bind_wrong(s, t, p);
}

/* An object stands there: what a root should be, and no feature. */
static void bind_object(struct scan *s, const struct scan_node *node, const char *p)
{
    EACH_TARGET(s, node->targets, t)
    {
        if (t->type == SCAN_ROOT)
            bind_set_root(&s->bind, ROOT_PRESENT, at(s, p));
        else
            bind_wrong(s, t, p);
    }
    bind_range_wrong(s, node->indexed, p);
}

/* The paths through this value go no further: it is no container. */
static void bind_below_wrong(struct scan *s, const struct scan_node *node, const char *p)
{
    bind_range_wrong(s, node->named, p);
    bind_range_wrong(s, node->indexed, p);
}

static void bind_scalar(struct scan *s, const struct scan_node *node, const char *p,
                        enum feature_type type, float value)
{
    EACH_TARGET(s, node->targets, t)
    {
        if (t->type == type)
            bind_number(&s->bind, s->row, t->slot, value, at(s, p));
        else
            bind_wrong(s, t, p);
    }
    bind_below_wrong(s, node, p);
}

static void bind_string(struct scan *s, const struct scan_node *node, const char *p,
                        const char *text, size_t len)
{
    EACH_TARGET(s, node->targets, t)
    {
        if (t->type != FEATURE_CATEGORY)
            bind_wrong(s, t, p);
        else if (text)
            bind_text(&s->bind, s->row, t->slot, text, len, at(s, p));
        else
            bind_unknown(&s->bind, s->row, t->slot, at(s, p));
    }
    bind_below_wrong(s, node, p);
}

/* ---- what is carried into the score */

static void keep_text(struct scan *s, const struct scan_node *node, struct json_text text)
{
    const struct scan_keep *k = s->tree.keeps + node->keeps.first;

    for (uint32_t i = 0; i < node->keeps.count; i++)
        s->bind.carried[k[i].slot] = (struct carried){.kind = k[i].is_time      ? CARRIED_NOTHING
                                                              : text.is_escaped ? CARRIED_ESCAPED
                                                                                : CARRIED_TEXT,
                                                      .len = (uint32_t)text.len,
                                                      .text = text.data};
}

/* Digits are carried as they stand; a time is their value. */
static void keep_number(struct scan *s, const struct scan_node *node, struct json_text text,
                        double value)
{
    const struct scan_keep *k = s->tree.keeps + node->keeps.first;

    keep_text(s, node, text);
    for (uint32_t i = 0; i < node->keeps.count; i++)
        if (k[i].is_time && fabs(value) < 0x1p63)
            s->bind.carried[k[i].slot] =
                (struct carried){.kind = CARRIED_INTEGER, .integer = (int64_t)floor(value)};
}

/* A key that feeds no feature came again: the last one counts. */
static void drop_kept(struct scan *s, const struct scan_node *node)
{
    for (uint32_t i = 0; i < node->kept.count; i++)
        s->bind.carried[s->tree.keeps[node->kept.first + i].slot].kind = CARRIED_NOTHING;
}

/* ---- values */

static const char *take_string(struct scan *s, const struct scan_node *node, const char *p)
{
    bool is_escaped;
    size_t len;
    const char *end = skip_text(s, p + 1, &is_escaped), *text;

    if (!end)
        return NULL;
    if (node->keeps.count)
        keep_text(s, node, (struct json_text){p + 1, (size_t)(end - p - 1), is_escaped});
    text = plain_text(s, p + 1, end, is_escaped, &len);
    bind_string(s, node, p, text, len);
    return end + 1;
}

static const char *take_number(struct scan *s, const struct scan_node *node, const char *p)
{
    double value;
    const char *next =
        *p == '-' || (unsigned char)(*p - '0') < 10 ? scan_number(p, s->end, &value) : NULL;

    if (!next)
        return bad(s, p);
    if (node->keeps.count)
        keep_number(s, node, (struct json_text){p, (size_t)(next - p), false}, value);
    bind_scalar(s, node, p, FEATURE_NUMBER, (float)value);
    return next;
}

static const char *take_word(struct scan *s, const struct scan_node *node, const char *p)
{
    const char *next;

    if (*p == 'n') {
        next = skip_word(s, p, "null", 4);
        bind_range_missing(s, node->targets, p);
        bind_range_missing(s, node->named, p);
        bind_range_missing(s, node->indexed, p);
        return next;
    }
    next = *p == 't' ? skip_word(s, p, "true", 4) : skip_word(s, p, "false", 5);
    if (node->keeps.count)
        keep_text(s, node, (struct json_text){p, *p == 't' ? 4 : 5, false});
    bind_scalar(s, node, p, FEATURE_BOOLEAN, *p == 't');
    return next;
}

static const char *take_array(struct scan *s, const struct scan_node *node, const char *p,
                              unsigned depth)
{
    const struct scan_index *next = s->tree.indexes + node->indexes.first;
    const struct scan_index *last = next + node->indexes.count;

    if (depth >= s->max_depth)
        return fail(s, p, FAULT_DECODE_TOO_DEEP);
    bind_range_wrong(s, node->targets, p);
    bind_range_wrong(s, node->named, p);
    p = skip_blanks(s, p + 1);
    if (p && *p == ']')
        return p + 1;
    for (size_t i = 0; p; i++) {
        bool is_wanted = next < last && next->index == i;
        p = is_wanted ? scan_value(s, &s->tree.nodes[(next++)->node], p, depth + 1)
                      : skip_value(s, p, depth + 1);
        p = p ? to_next(s, p) : NULL;
        if (p && *p == ']')
            return p + 1;
        if (p && *p != ',')
            return bad(s, p);
        p = p ? skip_blanks(s, p + 1) : NULL;
    }
    return NULL;
}

/* ---- objects */

/* True when `key":` stands at p. */
static inline bool is_key_at(const struct scan *s, const struct scan_key *key, const char *p)
{
    scan_block block[2], differs;
    uint64_t halves[2];

    if (__builtin_expect(s->end - p < SCAN_PATTERN || !key->has_pattern, 0))
        return false;
    memcpy(block, p, sizeof block);
    differs = ((block[0] ^ key->pattern[0]) & key->mask[0]) |
              ((block[1] ^ key->pattern[1]) & key->mask[1]);
    memcpy(halves, &differs, sizeof halves);
    return (halves[0] | halves[1]) == 0;
}

/* The key whose opening quote is before p, and its colon: where the value may start. *found is its
 * number, or SCAN_NONE. */
static __attribute__((noinline)) const char *find_key(struct scan *s, const struct scan_node *node,
                                                      const char *p, uint32_t *found)
{
    bool is_escaped;
    size_t len;
    const char *end = skip_text(s, p, &is_escaped), *text;

    if (!end)
        return NULL;
    text = plain_text(s, p, end, is_escaped, &len);
    *found = text ? scan_tree_find(&s->tree, node, text, len) : SCAN_NONE;
    end = to_next(s, end + 1);
    if (end && *end != ':')
        return bad(s, end);
    return end ? end + 1 : NULL;
}

/* The value of a key that is in the tree. */
static inline const char *take_member(struct scan *s, const struct scan_key *key, const char *p,
                                      const char *key_at, unsigned depth)
{
    struct scan_node *node = &s->tree.nodes[key->node];
    double value;

    if (__builtin_expect(node->round == s->round, 0)) {
        if (node->feeds)
            return bad(s, key_at);
        drop_kept(s, node);
    }
    node->round = s->round;
    if (node->is_number && (*p == '-' || (unsigned char)(*p - '0') < 10)) {
        const char *next = scan_number(p, s->end, &value);
        if (__builtin_expect(next != NULL, 1))
            bind_number(&s->bind, s->row, node->slot, (float)value, at(s, p));
        return next ? next : bad(s, p);
    }
    return scan_value(s, node, p, depth);
}

/* The object at p, inside of depth containers. */
static const char *take_object(struct scan *s, struct scan_node *node, const char *p,
                               unsigned depth)
{
    struct scan_key *keys = s->tree.keys;
    uint32_t *guess = &node->guess; /* where to learn which key comes next */

    if (depth >= s->max_depth)
        return fail(s, p, FAULT_DECODE_TOO_DEEP);
    p = skip_blanks(s, p + 1);
    if (p && *p == '}')
        return p + 1;
    while (p) {
        uint32_t found = *guess;
        const char *key_at = p;
        if (__builtin_expect(*p != '"', 0))
            return bad(s, p);
        if (__builtin_expect(found != SCAN_NONE && is_key_at(s, &keys[found], p + 1), 1))
            p += keys[found].len + 3;
        else if (!(p = find_key(s, node, p + 1, &found)))
            return NULL;
        if (!(p = to_next(s, p)))
            return NULL;
        if (found != SCAN_NONE) {
            *guess = found;
            guess = &keys[found].next;
            p = take_member(s, &keys[found], p, key_at, depth + 1);
        } else {
            p = skip_value(s, p, depth + 1);
        }
        if (!p || !(p = to_next(s, p)))
            return NULL;
        if (*p == '}')
            return p + 1;
        if (*p != ',')
            return bad(s, p);
        p = to_next(s, p + 1);
    }
    return NULL;
}

static const char *scan_value(struct scan *s, const struct scan_node *node, const char *p,
                              unsigned depth)
{
    switch (*p) {
    case '"': return take_string(s, node, p);
    case 't':
    case 'f':
    case 'n': return take_word(s, node, p);
    case '[': return take_array(s, node, p, depth);
    case '{':
        bind_object(s, node, p);
        return take_object(s, &s->tree.nodes[node - s->tree.nodes], p, depth);
    default: return take_number(s, node, p);
    }
}

/* ---- the document */

struct scan *scan_new(const struct features *features, unsigned max_depth)
{
    struct scan *s = mem_alloc(1, sizeof *s);

    scan_tree_init(&s->tree, features);
    bind_init(&s->bind, features);
    s->taken = mem_alloc(s->tree.turn_count, sizeof *s->taken);
    s->text_cap = s->tree.longest_text * 6; /* \u0041 */
    s->text = mem_alloc(s->text_cap, 1);
    s->is_array = mem_alloc(max_depth / 64 + 1, sizeof *s->is_array);
    s->max_depth = max_depth;
    return s;
}

void scan_free(struct scan *scan)
{
    if (!scan)
        return;
    scan_tree_release(&scan->tree);
    bind_release(&scan->bind);
    free(scan->taken);
    free(scan->text);
    free(scan->is_array);
    free(scan);
}

/* What is wrong first: bad UTF-8 before the place where the scanner stopped comes earlier. */
static struct outcome dead(const struct scan *s)
{
    bool is_text = !s->has_high || utf8_is_valid((const uint8_t *)s->start, at(s, s->stop));

    return outcome_dead(is_text ? s->fault : FAULT_DECODE_BAD_JSON, at(s, s->stop));
}

static struct outcome judge(const struct scan *s)
{
    const struct bind *b = &s->bind;
    bool is_faulty = b->is_faulty;
    for (size_t i = 0; i < b->required_count; i++)
        is_faulty |= bind_is_fault(s->row[b->required[i]]);
    return is_faulty ? bind_judge_faults(b, s->row) : outcome_scored();
}

const struct carried *scan_carried(const struct scan *s)
{
    return s->bind.carried;
}

struct outcome scan_run(struct scan *s, struct slice value, float *row)
{
    const char *p;

    s->start = (const char *)value.data;
    s->end = s->start + value.len;
    s->row = row;
    s->has_high = false;
    s->round++;
    memset(s->taken, 0xff, s->tree.turn_count * sizeof *s->taken);
    bind_start(&s->bind, row);
    p = skip_blanks(s, s->start);
    p = p ? scan_value(s, s->tree.nodes, p, 0) : NULL;
    if (!p)
        return dead(s);
    if (s->has_high && !utf8_is_valid(value.data, at(s, p)))
        return outcome_dead(FAULT_DECODE_BAD_JSON, 0);
    if (p < s->end && skip_blanks(s, p))
        return outcome_dead(FAULT_DECODE_TRAILING_BYTES, at(s, p));
    return judge(s);
}
