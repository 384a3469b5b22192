#include <math.h>
#include <string.h>

#include "core/text.h"
#include "scoring/version.h"
#include "scoring/xgboost_reader.h"

bool reader_take_base_score(struct reader *r)
{
    if (document_peek(&r->d) == DOCUMENT_NUMBER)
        return document_float(&r->d, &r->base_margin);
    return document_string(&r->d, &r->base_text);
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

/* "5E-1", "[5E-1]" (3.1 and later), "0.500000" (1.0 and 1.1). */
static bool parse_base_score(struct reader *r, float *value)
{
    const char *p = r->base_text.data;
    size_t len = r->base_text.len, taken;

    if (len >= 2 && p[0] == '[' && p[len - 1] == ']') {
        p++;
        len -= 2;
    }
    taken = number_parse_float(p, len, value);
    if (taken != len && memchr(p, ',', len))
        return reader_refuse(r,
                             "a base_score for each of several outputs: not read by this version");
    if (taken != len || taken == 0 || !isfinite(*value))
        return reader_refuse(r, "base_score is no number: %.*s",
                             (int)(r->base_text.len < 40 ? r->base_text.len : 40),
                             r->base_text.data);
    if (version_is_before(r->version, 1, 2, 0) && !memchr(p, 'e', len) && !memchr(p, 'E', len))
        parse_old(p, len, value);
    return true;
}

/* From 3.1 on the library takes the base score of a model without trees for a default that training
 * will replace, and does not turn it into a margin, unless the user gave it (src/learner.cc,
 * NeedFit). */
static bool is_unfitted(const struct reader *r)
{
    return r->parts->trees->count == 0 && r->boost_from_average &&
           !version_is_before(r->version, 3, 1, 0);
}

bool reader_base_margin(struct reader *r, const struct objective *objective)
{
    if (r->base_text.data && !parse_base_score(r, &r->base_margin))
        return false;
    if (!is_unfitted(r))
        r->base_margin = objective_base_margin(objective, r->base_margin);
    return isfinite(r->base_margin) ||
           reader_refuse(r, "base_score makes no margin for %s", r->parts->objective);
}
