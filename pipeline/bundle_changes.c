#include "pipeline/bundle_changes.h"

#include <stdio.h>
#include <string.h>

struct words {
    char *out;
    size_t len;
};

static void say(struct words *w, const char *before, const char *text)
{
    int wrote = snprintf(w->out + w->len, BUNDLE_CHANGES_MAX - w->len, "%s%.60s", before, text);

    w->len += wrote > 0 ? (size_t)wrote : 0;
    if (w->len >= BUNDLE_CHANGES_MAX)
        w->len = BUNDLE_CHANGES_MAX - 1;
}

static const struct feature *find(const struct features *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i];
    return NULL;
}

struct tables {
    const struct category *other;
    size_t count;
    bool is_same;
};

static void compare_entry(void *arg, const char *value, size_t len, int32_t code)
{
    struct tables *t = arg;

    t->count++;
    t->is_same = t->is_same && category_find(t->other, value, len) == code;
}

static bool is_same_table(const struct category *a, const struct category *b)
{
    struct tables there = {b, 0, true}, back = {a, 0, true};

    if (!a || !b)
        return a == b;
    category_each(a, compare_entry, &there);
    category_each(b, compare_entry, &back);
    return there.is_same && back.is_same;
}

static bool is_same_feature(const struct feature *a, const struct feature *b)
{
    bool is_same = a->path_count == b->path_count && a->type == b->type &&
                   a->required == b->required && a->unknown_is_missing == b->unknown_is_missing &&
                   memcmp(&a->missing, &b->missing, sizeof a->missing) == 0;

    for (size_t i = 0; is_same && i < a->path_count; i++)
        is_same = strcmp(a->paths[i].text, b->paths[i].text) == 0;
    return is_same && is_same_table(a->table, b->table);
}

/* Those of `list` that `other` has not, or (is_both) has otherwise. */
static void say_features(struct words *w, const char *head, const struct features *list,
                         const struct features *other, bool is_both)
{
    enum { MOST = 8 };
    size_t count = 0;
    char more[32];

    for (size_t i = 0; i < list->count; i++) {
        const struct feature *feature = &list->items[i], *twin = find(other, feature->name);
        if (is_both ? !twin || is_same_feature(feature, twin) : twin != NULL)
            continue;
        if (count++ < MOST)
            say(w, count == 1 ? head : ",", feature->name);
    }
    if (count > MOST) {
        snprintf(more, sizeof more, "%zu more", count - MOST);
        say(w, " and ", more);
    }
}

static bool has_same_decisions(const struct bundle *a, const struct bundle *b)
{
    if (a->threshold_count != b->threshold_count || !a->below != !b->below ||
        (a->below && strcmp(a->below, b->below) != 0))
        return false;
    for (size_t i = 0; i < a->threshold_count; i++)
        if (a->thresholds[i].from != b->thresholds[i].from ||
            strcmp(a->thresholds[i].decision, b->thresholds[i].decision) != 0)
            return false;
    return true;
}

void bundle_changes_print(const struct bundle *before, const struct bundle *after,
                          char out[BUNDLE_CHANGES_MAX])
{
    struct words w = {out, 0};

    out[0] = '\0';
    say_features(&w, "features_changed=", &after->features, &before->features, true);
    say_features(&w, w.len ? " features_added=" : "features_added=", &after->features,
                 &before->features, false);
    say_features(&w, w.len ? " features_removed=" : "features_removed=", &before->features,
                 &after->features, false);
    if (before->output != after->output || before->output_count != after->output_count ||
        before->output_index != after->output_index)
        say(&w, w.len ? " changed=" : "changed=", "output");
    if (!has_same_decisions(before, after))
        say(&w, w.len ? " changed=" : "changed=", "thresholds");
    if (w.len == 0)
        say(&w, "changed=", "model");
}
