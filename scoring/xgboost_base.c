#include <math.h>
#include <string.h>

#include "core/mem.h"
#include "core/text.h"
#include "scoring/version.h"
#include "scoring/xgboost_reader.h"

static void add_score(struct reader *r, float value)
{
    r->base.items = mem_grow(r->base.items, r->base.count, &r->base.cap, sizeof value);
    r->base.items[r->base.count++] = value;
}

bool reader_take_base_score(struct reader *r)
{
    float value;

    if (r->base_text.data || r->base.count > 0)
        return reader_refuse(r, "base_score comes twice");
    if (document_peek(&r->d) != DOCUMENT_NUMBER)
        return document_string(&r->d, &r->base_text);
    if (!document_float(&r->d, &value))
        return false;
    add_score(r, value);
    return true;
}

static size_t take_digits(const char *text, size_t len, size_t limit, uint64_t *digits)
{
    size_t i = 0;

    for (*digits = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
        if (i < limit)
            *digits = *digits * 10 + (uint64_t)(text[i] - '0');
    return i;
}

/* 1.0 and 1.1 wrote "%f" and read it by what stands before and behind the point, each rounded to a
 * float, digits beyond 64 bits lost (ParseFloat in dmlc-core, include/dmlc/strtonum.h): often one
 * unit in the last place off, and that is what the library scores with. Returns the bytes taken. */
static size_t parse_old(const char *text, size_t len, float *value)
{
    enum { FRACTION_DIGITS = 19 };
    size_t at = len > 0 && text[0] == '-', fraction;
    uint64_t digits;
    bool is_negative = at == 1;

    at += take_digits(text + at, len - at, SIZE_MAX, &digits);
    *value = (float)digits;
    if (at < len && text[at] == '.') {
        at++;
        fraction = take_digits(text + at, len - at, FRACTION_DIGITS, &digits);
        at += fraction;
        *value +=
            (float)((double)digits /
                    pow(10, (double)(fraction < FRACTION_DIGITS ? fraction : FRACTION_DIGITS)));
    }
    *value = is_negative ? -*value : *value;
    return at;
}

/* "5E-1", "[5E-1,2E0]" (3.1 and later), "0.500000" (1.0 and 1.1). */
static bool parse_scores(struct reader *r)
{
    const char *p = r->base_text.data, *end = p + r->base_text.len;
    float value;

    if (p + 1 < end && *p == '[' && end[-1] == ']') {
        p++;
        end--;
    }
    for (;; p++) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        size_t len = (size_t)((comma ? comma : end) - p);
        if (len == 0 || number_parse_float(p, len, &value) != len || !isfinite(value))
            return reader_refuse(r, "base_score is no number: %.*s",
                                 (int)(r->base_text.len < 40 ? r->base_text.len : 40),
                                 r->base_text.data);
        if (version_is_before(r->version, 1, 2, 0) && !memchr(p, 'e', len) && !memchr(p, 'E', len))
            parse_old(p, len, &value);
        add_score(r, value);
        p += len;
        if (!comma)
            return true;
    }
}

/* From 3.1 on the library takes the base scores of a model without trees for a default that
 * training will replace, and does not turn them into margins, unless the user gave them
 * (src/learner.cc, NeedFit). */
static bool is_default(const struct reader *r)
{
    return !reader_is_fitted(r) && r->boost_from_average && !version_is_before(r->version, 3, 1, 0);
}

bool reader_base_margins(struct reader *r, const struct objective *objective)
{
    size_t count = reader_output_count(r);

    if (r->base_text.data && !parse_scores(r))
        return false;
    if (r->base.count == 0)
        add_score(r, 0.5f);
    if (r->base.count != 1 && r->base.count != count)
        return reader_refuse(r, "%zu base scores for %zu outputs", r->base.count, count);
    while (r->base.count < count)
        add_score(r, r->base.items[0]);
    if (!is_default(r))
        objective_base_margins(objective, r->base.items, count);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(r->base.items[i]))
            return reader_refuse(r, "base_score makes no margin for %s", r->parts->objective);
    return true;
}
