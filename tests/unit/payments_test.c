#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/payments.h"
#include "core/sha256.h"
#include "tests/harness.h"

enum { COUNT = 20000 };

static struct payments *stream(uint64_t seed)
{
    struct payments *payments = malloc(sizeof *payments);

    payments_init(payments, seed);
    return payments;
}

static void digest_of(uint64_t seed, char hex[SHA256_HEX + 1])
{
    struct payments *payments = stream(seed);
    struct payment payment;
    struct sha256 hash;

    sha256_init(&hash);
    for (int i = 0; i < COUNT; i++) {
        payments_next(payments, i % 2 == 1, &payment);
        sha256_add(&hash, payment.json, payment.json_len);
    }
    sha256_hex(&hash, hex);
    free(payments);
}

START_TEST(a_seed_gives_the_same_payments_every_time)
{
    char first[SHA256_HEX + 1], again[SHA256_HEX + 1], other[SHA256_HEX + 1];

    digest_of(1, first);
    digest_of(1, again);
    digest_of(2, other);
    ck_assert_str_eq(first, again);
    ck_assert_str_ne(first, other);
}
END_TEST

/* What the bundle's features read, with their types. */
START_TEST(whole_payments_have_every_field_that_the_model_reads)
{
    struct payments *payments = stream(3);
    struct payment payment;
    int fraud = 0;

    for (int i = 0; i < COUNT; i++) {
        payments_next(payments, false, &payment);
        json_t *event = json_loadb(payment.json, payment.json_len, 0, NULL);
        double amount, amount_24h, days;
        int hour, present, abroad, count_1h, count_24h;
        const char *category;
        ck_assert_msg(event != NULL, "%s", payment.json);
        ck_assert_msg(json_unpack(event, "{s:F,s:{s:s},s:i,s:b,s:b,s:{s:i,s:i,s:F},s:F}", "amount",
                                  &amount, "merchant", "category", &category, "hour", &hour,
                                  "card_present", &present, "abroad", &abroad, "velocity",
                                  "count_1h", &count_1h, "count_24h", &count_24h, "amount_24h",
                                  &amount_24h, "days_since_last", &days) == 0,
                      "%s", payment.json);
        ck_assert_msg(amount > 0 && hour >= 0 && hour < 24 && count_24h >= count_1h, "%s",
                      payment.json);
        fraud += payment.is_fraud;
        json_decref(event);
    }
    ck_assert_msg(fraud > COUNT * 2 / 100 && fraud < COUNT * 4 / 100, "%d of %d are fraud", fraud,
                  COUNT);
    free(payments);
}
END_TEST

START_TEST(the_new_release_breaks_payments_as_it_says)
{
    struct payments *payments = stream(4);
    struct payment payment;
    int counts[PAYMENT_CUT + 1] = {0};

    for (int i = 0; i < COUNT; i++) {
        payments_next(payments, true, &payment);
        json_t *event = json_loadb(payment.json, payment.json_len, 0, NULL);
        enum payment_break seen = PAYMENT_WHOLE;
        if (!event)
            seen = PAYMENT_CUT;
        else if (json_is_string(json_object_get(event, "amount")))
            seen = PAYMENT_AMOUNT_AS_TEXT;
        else if (json_object_size(json_object_get(event, "velocity")) == 0)
            seen = PAYMENT_VELOCITY_MISSING;
        else if (strstr(payment.json, "\"e-commerce\""))
            seen = PAYMENT_CATEGORY_RENAMED;
        ck_assert_msg(seen == payment.broken, "%s: is %d, says %d", payment.json, seen,
                      payment.broken);
        counts[seen]++;
        json_decref(event);
    }
    for (int i = 0; i <= PAYMENT_CUT; i++)
        ck_assert_msg(counts[i] > COUNT / 200, "break %d happens %d times", i, counts[i]);
    free(payments);
}
END_TEST

SUITE(payments)
{
    CASE("stream", a_seed_gives_the_same_payments_every_time,
         whole_payments_have_every_field_that_the_model_reads,
         the_new_release_breaks_payments_as_it_says);
}
