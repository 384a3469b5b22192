#include "core/json_path.h"

#include <string.h>

#include "core/json.h"

enum { MAX_DEPTH = 1024 };

/* The value that comes next, which is whole. */
static bool take_value(struct json *j, struct slice *value)
{
    const char *start;

    if (json_peek(j) == JSON_NONE)
        return false;
    start = j->at;
    if (!json_skip(j))
        return false;
    *value = (struct slice){(const uint8_t *)start, (size_t)(j->at - start)};
    return true;
}

/* As much of a value as there is: its end may be missing. */
static struct slice begun(const struct json *j)
{
    return (struct slice){(const uint8_t *)j->at, (size_t)(j->end - j->at)};
}

/* Looks for one step; *value is a text that begins with what it leads to, the last one. */
static bool find_step(struct slice text, const struct step *step, struct slice *value)
{
    struct json j;
    struct json_text key;
    struct slice whole;
    bool is_found = false;
    size_t index = 0;

    json_init(&j, (const char *)text.data, text.len, MAX_DEPTH);
    if (step->kind == STEP_INDEX) {
        for (json_enter_array(&j); json_item(&j); index++) {
            if (index == step->index) {
                *value = begun(&j);
                return true;
            }
            json_skip(&j);
        }
        return false;
    }
    for (json_enter_object(&j); json_key(&j, &key);) {
        bool is_it = json_text_equals(&key, step->name);
        struct slice here = begun(&j);
        if (is_it) {
            *value = here;
            is_found = true;
        }
        if (!take_value(&j, &whole))
            break;
    }
    return is_found;
}

/* Whether the step leads into that value: a scalar, or the other kind of container, bars the way.
 */
static bool leads_on(struct slice text, const struct step *step)
{
    struct json j;

    json_init(&j, (const char *)text.data, text.len, MAX_DEPTH);
    return json_peek(&j) == (step->kind == STEP_INDEX ? JSON_ARRAY : JSON_OBJECT);
}

/* Of 12 that is cut from 123 nobody can tell. */
static bool may_go_on(const struct json *j)
{
    return j->at == j->end || !memchr(" \t\r\n,]}", *j->at, 7);
}

bool json_path_find(struct slice text, const struct path *path, struct slice *value)
{
    struct json j;
    struct slice found;
    bool is_number;
    size_t i = 0;

    for (; i < path->step_count && leads_on(text, &path->steps[i]); i++)
        if (!find_step(text, &path->steps[i], &text))
            return false;
    json_init(&j, (const char *)text.data, text.len, MAX_DEPTH);
    is_number = json_peek(&j) == JSON_NUMBER;
    if (!take_value(&j, &found) || (i > 0 && is_number && may_go_on(&j)))
        return false;
    *value = found;
    return true;
}
