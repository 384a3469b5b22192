#include "cli/payments.h"

#include <math.h>
#include <stdio.h>

static const char *const categories[] = {"grocery", "restaurant", "fuel",        "pharmacy",
                                         "clothes", "transport",  "electronics", "travel",
                                         "jewelry", "gift_card",  "online"};
/* Of a hundred payments: honest ones, and fraud. */
static const uint8_t honest_share[] = {27, 15, 10, 7, 8, 11, 4, 2, 1, 1, 14},
                     fraud_share[] = {2, 2, 3, 1, 4, 2, 24, 10, 14, 22, 16};
/* Per hour: honest people sleep. */
static const uint8_t honest_hours[24] = {1, 1, 0, 0, 0, 1, 2, 4, 6, 6, 6, 7,
                                         8, 7, 6, 6, 7, 8, 8, 6, 4, 3, 2, 1};
static const char *const countries[] = {"DE", "AT", "FR", "NL", "IT", "PL", "ES", "SE"};

enum { EPOCH_S = 1767225600 /* 2026-01-01T00:00:00Z */ };

/* splitmix64: prng.di.unimi.it/splitmix64.c */
static uint64_t next(struct payments *p)
{
    uint64_t z = p->rng += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

static double uniform(struct payments *p)
{
    return (double)(next(p) >> 11) * 0x1p-53;
}

/* Sum of four uniforms: close enough to a normal, and the same with every libm. */
static double normal(struct payments *p)
{
    double sum = uniform(p) + uniform(p) + uniform(p) + uniform(p);

    return (sum - 2) * 1.7320508;
}

static size_t draw(struct payments *p, const uint8_t *shares, size_t count)
{
    size_t sum = 0, i = 0;

    for (size_t k = 0; k < count; k++)
        sum += shares[k];
    for (size_t at = next(p) % sum; at >= shares[i]; i++)
        at -= shares[i];
    return i;
}

/* 2^x with the arithmetic of one multiplication and a short series: amounts do not depend on a
 * libm. */
static double power2(double x)
{
    double whole = floor(x), f = (x - whole) * 0.69314718;

    return ldexp(1 + f * (1 + f * (0.5 + f * (1.0 / 6 + f / 24))), (int)whole);
}

void payments_init(struct payments *p, uint64_t seed)
{
    *p = (struct payments){.rng = seed};
    for (size_t i = 0; i < PAYMENT_CARDS; i++) {
        p->cards[i].habit_eur = (float)(22 * power2(0.9 * normal(p)));
        p->cards[i].country = (uint8_t)(next(p) % 8);
    }
}

/* What one payment is about, before it becomes text. */
struct facts {
    size_t card, category, hour, merchant;
    double amount, amount_24h, days_since_last;
    unsigned count_1h, count_24h;
    bool is_fraud, is_abroad, is_present;
};

static struct facts imagine(struct payments *p)
{
    struct facts f = {.card = next(p) % PAYMENT_CARDS};
    struct card *card = &p->cards[f.card];

    if (card->burst == 0 && uniform(p) < 0.012)
        card->burst = (uint8_t)(2 + next(p) % 3);
    f.is_fraud = card->burst > 0 && uniform(p) < 0.9;
    card->burst -= card->burst > 0;
    f.category = draw(p, f.is_fraud ? fraud_share : honest_share, sizeof honest_share);
    f.hour = f.is_fraud && uniform(p) < 0.5 ? next(p) % 24 : draw(p, honest_hours, 24);
    f.merchant = f.category * 40 + next(p) % 40;
    f.amount = card->habit_eur * power2((f.is_fraud ? 2.1 : 0) + 0.8 * normal(p));
    if (f.category >= 6 && f.category <= 8)
        f.amount *= 3;
    f.is_abroad = uniform(p) < (f.is_fraud ? 0.45 : 0.05);
    f.is_present = f.category != 10 && uniform(p) < (f.is_fraud ? 0.25 : 0.85);
    f.count_1h = (unsigned)(power2(uniform(p) * (f.is_fraud ? 3.2 : 1.5)) - 0.5);
    f.count_24h = f.count_1h + (unsigned)(power2(uniform(p) * (f.is_fraud ? 3.8 : 3)) - 0.5);
    f.amount_24h = f.amount + card->habit_eur * f.count_24h * (0.5 + uniform(p));
    f.days_since_last = power2(3 * normal(p) - (f.is_fraud ? 4 : 1));
    return f;
}

static enum payment_break breaks(struct payments *p, const struct facts *f)
{
    double at = uniform(p);

    if (at < 0.01)
        return PAYMENT_CUT;
    if (at < 0.07)
        return PAYMENT_VELOCITY_MISSING;
    if (f->category == 10)
        return PAYMENT_CATEGORY_RENAMED;
    return f->is_present ? PAYMENT_AMOUNT_AS_TEXT : PAYMENT_WHOLE;
}

static void print_event(const struct payments *p, const struct facts *f, struct payment *out)
{
    const char *quote = out->broken == PAYMENT_AMOUNT_AS_TEXT ? "\"" : "";
    const char *home = countries[p->cards[f->card].country];
    char velocity[120] = "";
    int len;

    if (out->broken != PAYMENT_VELOCITY_MISSING)
        snprintf(velocity, sizeof velocity, "\"count_1h\":%u,\"count_24h\":%u,\"amount_24h\":%.2f",
                 f->count_1h, f->count_24h, f->amount_24h);
    len = snprintf(out->json, sizeof out->json,
                   "{\"id\":\"p-%08llu\",\"time\":%llu,\"card\":\"%s\",\"amount\":%s%.2f%s,"
                   "\"merchant\":{\"id\":\"m-%03zu\",\"category\":\"%s\",\"country\":\"%s\"},"
                   "\"hour\":%zu,\"card_present\":%s,\"abroad\":%s,\"velocity\":{%s},"
                   "\"days_since_last\":%.3f}",
                   (unsigned long long)p->count, (EPOCH_S + p->count / 100) * 1000ULL, out->key,
                   quote, f->amount, quote, f->merchant,
                   out->broken == PAYMENT_CATEGORY_RENAMED ? "e-commerce" : categories[f->category],
                   f->is_abroad ? "US" : home, f->hour, f->is_present ? "true" : "false",
                   f->is_abroad ? "true" : "false", velocity, f->days_since_last);
    out->json_len = (size_t)len;
    if (out->broken == PAYMENT_CUT)
        out->json_len = out->json_len * 2 / 3;
    out->json[out->json_len] = '\0';
}

void payments_next(struct payments *p, bool is_new, struct payment *out)
{
    struct facts f = imagine(p);

    *out =
        (struct payment){.is_fraud = f.is_fraud, .broken = is_new ? breaks(p, &f) : PAYMENT_WHOLE};
    snprintf(out->key, sizeof out->key, "c-%04zu", f.card);
    print_event(p, &f, out);
    p->count++;
}
