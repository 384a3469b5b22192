#include <string.h>

#include "core/kafka_throttle.h"
#include "tests/harness.h"

/* An answer every so many milliseconds for so long, each of which says how long to wait. */
static int64_t tell(struct kafka_throttle *t, int64_t from_ms, int64_t lasts_ms, int64_t every_ms,
                    int throttle_ms)
{
    int64_t now_ms = from_ms;

    for (; now_ms < from_ms + lasts_ms; now_ms += every_ms)
        kafka_throttle_take(t, "b:9/1", throttle_ms, now_ms);
    return now_ms;
}

START_TEST(many_short_holds_add_up_as_one_long_one_does)
{
    struct kafka_throttle t = {0};

    ck_assert_ptr_null(kafka_throttle_broker(&t, 1000));
    tell(&t, 1000, 1, 1, 1500);
    ck_assert_str_eq(kafka_throttle_broker(&t, 1000), "b:9/1");
    t = (struct kafka_throttle){0};
    tell(&t, 1000, 2000, 100, 80); /* four fifths of the time */
    ck_assert_str_eq(kafka_throttle_broker(&t, 3000), "b:9/1");
}
END_TEST

START_TEST(a_little_now_and_then_is_none_for_ever)
{
    struct kafka_throttle t = {0};
    int64_t now_ms = tell(&t, 1000, 3600000, 1000, 40);

    ck_assert_ptr_null(kafka_throttle_broker(&t, now_ms));
}
END_TEST

START_TEST(it_is_over_soon_however_long_it_lasted)
{
    struct kafka_throttle t = {0};
    int64_t now_ms = tell(&t, 1000, 3600000, 500, 400);

    ck_assert_ptr_nonnull(kafka_throttle_broker(&t, now_ms));
    ck_assert_ptr_null(kafka_throttle_broker(&t, now_ms + 10000));
    now_ms += 60000;
    kafka_throttle_take(&t, "b:9/1", 5, now_ms);
    ck_assert_ptr_null(kafka_throttle_broker(&t, now_ms));
}
END_TEST

SUITE(kafka_throttle)
{
    CASE("share", many_short_holds_add_up_as_one_long_one_does,
         a_little_now_and_then_is_none_for_ever, it_is_over_soon_however_long_it_lasted);
}
