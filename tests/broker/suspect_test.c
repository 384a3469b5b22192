/* What is wrong without an error, on a real broker: the log names the feature and its first record.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/err.h"
#include "core/file.h"
#include "tests/broker/child.h"
#include "tests/harness.h"
#include "tests/models.h"

enum { GOOD = 300 };

/* x may be missing. */
static void make_optional(struct cluster *c)
{
    struct err err = ERR_INIT;
    char path[400], *text, *edited;
    size_t len;

    snprintf(path, sizeof path, "%s/model.ini", c->folder);
    ck_assert_msg(file_read(path, 10000, &text, &len, &err) == 0, "%s", err.text);
    edited = models_edit(text, NULL, "number, required", "number, optional");
    harness_write(c->folder, "model.ini", edited, strlen(edited));
    free(edited);
    free(text);
}

/* Until the log holds the line. */
static const char *send_bad_until(struct child *k, struct cluster *c, const char *text)
{
    int64_t until = harness_deadline();

    while (child_count(k, text) == 0) {
        ck_assert_msg(clock_ms() < until, "no \"%s\" in time; the log:\n%s", text, k->log);
        for (int i = 0; i < 20; i++)
            cluster_send(c, 0, "k", "{\"x\":null}", 10);
        cluster_flush(c->producer);
        harness_breathe();
    }
    return child_wait_line(k, text, 1);
}

START_TEST(a_feature_whose_source_dies_is_named_with_its_first_record)
{
    struct cluster c;
    struct child k;
    const char *line;

    cluster_open(&c, 1);
    make_optional(&c);
    cluster_send_events(&c, GOOD);
    child_run(&k, &c);
    cluster_wait_outcomes(&c, GOOD);
    line = send_bad_until(&k, &c, "event=suspect ");
    ck_assert_ptr_nonnull(strstr(line, "warning event=suspect what=all_missing feature=x "));
    ck_assert_ptr_nonnull(strstr(line, " share=1.00 before=0.00 "));
    ck_assert_ptr_nonnull(strstr(line, c.in));
    ck_assert_int_eq(child_number(line, "partition"), 0);
    ck_assert_int_eq(child_number(line, "offset"), GOOD);
    ck_assert_ptr_nonnull(strstr(line, " model=tiny version=1 source=x: no value since then"));
    child_send_until(&k, &c, "event=suspect_over ");
    line = child_wait_line(&k, "event=suspect_over ", 1);
    ck_assert_ptr_nonnull(strstr(line, "what=all_missing feature=x lasted_ms="));
    child_stop(&k);
    ck_assert_int_eq(child_count(&k, "event=suspect "), 1);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

SUITE(suspect)
{
    CASE("source", a_feature_whose_source_dies_is_named_with_its_first_record);
}
