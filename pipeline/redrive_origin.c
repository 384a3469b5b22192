/* redrive_origin.c: a letter that was too large to bring its value: the record itself, where it
 * came from. It may be gone, and where a topic was made anew it may be another. */
#include <stdlib.h>

#include "core/log.h"
#include "core/mem.h"
#include "pipeline/redriving.h"

const struct original *redrive_original(const struct redrive *d, const struct record *r)
{
    for (size_t i = 0; i < d->original_count; i++)
        if (d->originals[i].part == r->part && d->originals[i].offset == r->offset)
            return &d->originals[i];
    return NULL;
}

void redrive_forget(struct redrive *d)
{
    for (size_t i = 0; i < d->original_count; i++)
        explain_record_release(&d->originals[i].record);
    d->original_count = d->original_bytes = 0;
}

/* What the letter has of it, and says of it, is so. */
static bool is_same(const struct explain_record *found, const struct record *r,
                    const struct letter *letter)
{
    return (letter->is_without_key || origin_is_equal(found->key, r->key)) &&
           (letter->timestamp_ms < 0 || letter->timestamp_ms == found->timestamp_ms);
}

static enum left take(struct redrive *d, const struct record *r, const struct letter *letter,
                      struct explain_record *found)
{
    enum left left = !is_same(found, r, letter) ? LEFT_CHANGED
                     : !found->value.data       ? LEFT_NO_VALUE
                                                : LEFT_COUNT;

    if (left != LEFT_COUNT) {
        explain_record_release(found);
        return left;
    }
    d->originals =
        mem_grow(d->originals, d->original_count, &d->original_cap, sizeof *d->originals);
    d->originals[d->original_count++] = (struct original){r->part, r->offset, *found};
    d->original_bytes += found->value.len + found->key.len;
    return LEFT_COUNT;
}

enum left redrive_fetch(const struct pipeline *p, const struct record *r,
                        const struct letter *letter)
{
    enum { ASK_MS = 5000 };
    char *topic = mem_copy_text((const char *)letter->topic.data, letter->topic.len);
    struct origin place = {topic, letter->partition, letter->offset};
    struct explain_record found;
    struct err err = ERR_INIT;
    int result = origin_read(p->config, place, &found, ASK_MS, &err);

    free(topic);
    if (result > 0)
        return take(redrive_of(p), r, letter, &found);
    if (result == 0 || err.exit_code == EXIT_CONFIGURATION)
        return LEFT_GONE;
    if (err.kind == ERR_FATAL)
        return LEFT_DENIED;
    log_event(LOG_WARNING, "waiting", "for=kafka %s", err.text);
    return LEFT_NO_LETTER;
}
