/* How a stream flows. */
#include "tests/broker/child.h"
#include "tests/harness.h"

/* A pause throws the client's prefetch away: only an output that lags may cause one. When sending
 * itself counted as a full ring, half a million records paused every 280 ms. */
START_TEST(a_stream_that_is_kept_up_with_is_not_paused)
{
    enum { COUNT = 500000, STALLS = 2 /* of the broker itself, on a busy machine */ };
    struct cluster c;
    struct child k;

    cluster_open(&c, 2);
    for (int i = 0; i < COUNT; i++) {
        if (i % 50000 == 0)
            cluster_flush(c.producer);
        cluster_send(&c, i % 2, "k", "{\"x\":1}", 7);
    }
    child_run(&k, &c);
    cluster_wait_outcomes(&c, COUNT);
    child_stop(&k);
    ck_assert_int_le(child_count(&k, "event=full"), STALLS);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(flow)
{
    CASE("pace", a_stream_that_is_kept_up_with_is_not_paused);
}
