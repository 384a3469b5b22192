/* kscore as deploy/kscore.service runs it: nobody, in a file system of which only the folder of its
 * socket and the cache of schemas can be written. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/broker/child.h"
#include "tests/broker/served.h"
#include "tests/harness.h"

enum { CANNOT = 99, NOBODY = 65534 };

static void find_kscore(char path[PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 20);

    ck_assert_int_gt(len, 0);
    path[len] = '\0';
    strcpy(strrchr(path, '/'), "/kscore");
}

/* tests/confined with these words; false: this machine cannot. */
static bool start(struct child *k, struct cluster *c, const char *const *items)
{
    char writable[320], binary[PATH_MAX];
    struct child trial;

    find_kscore(binary);
    snprintf(writable, sizeof writable, "%s/run", c->folder);
    ck_assert_int_eq(mkdir(writable, 0750), 0);
    ck_assert_int_eq(chown(writable, NOBODY, NOBODY), 0);
    ck_assert_int_eq(chmod(c->folder, 0755), 0);
    setenv("KSCORE_WRITABLE", writable, 1);
    setenv("KSCORE_CONFINED", binary, 1);
    setenv("KSCORE_BINARY", "../../tests/confined", 1);
    child_exec(&trial, c->folder, (const char *[]){"--version", NULL});
    while (child_is_running(&trial))
        harness_breathe();
    if (trial.code == 0)
        child_start(k, c, items);
    ck_assert_msg(trial.code == 0 || trial.code == CANNOT, "%d", trial.code);
    return trial.code == 0;
}

START_TEST(nobody_scores_in_a_file_system_that_cannot_be_written)
{
    char item[450];
    struct cluster c, inside;
    struct child k;

    if (geteuid() != 0) {
        harness_skip("only root can confine kscore");
        return;
    }
    cluster_open(&c, 1);
    inside = c; /* where its socket is */
    ck_assert_int_lt(snprintf(inside.folder, sizeof inside.folder, "%s/run", c.folder),
                     (int)sizeof inside.folder);
    snprintf(item, sizeof item, "control.socket=%s/control", inside.folder);
    if (!start(&k, &c, (const char *[]){item, "http.listen=", NULL})) {
        harness_skip("no mounts of its own");
        cluster_close(&c);
        return;
    }
    cluster_send_events(&c, 20);
    cluster_wait_outcomes(&c, 20);
    served_wait_number(&k, &inside, "downstream.totals.scored", 20, 20);
    child_stop(&k);
    ck_assert_int_eq(child_count(&k, "event=http"), 0);
    child_release(&k);
    cluster_close(&c);
}
END_TEST

/* As systemd reads it; the binary need not be installed. */
START_TEST(the_unit_is_one_that_systemd_takes)
{
    if (system("command -v systemd-analyze > /dev/null") != 0) {
        harness_skip("no systemd-analyze");
        return;
    }
    ck_assert_int_eq(system("f=$(mktemp -d) && sed 's|/usr/local/bin/kscore|/bin/true|' "
                            "deploy/kscore.service > $f/kscore.service && "
                            "test -z \"$(systemd-analyze verify $f/kscore.service 2>&1)\" && "
                            "rm -r $f"),
                     0);
}
END_TEST

/* In tenths of what systemd-analyze says; offline since systemd 250. */
START_TEST(the_unit_exposes_little)
{
    if (system("systemd-analyze security --help 2> /dev/null | grep -q -e --offline") != 0) {
        harness_skip("no systemd-analyze that looks at files");
        return;
    }
    ck_assert_int_eq(system("systemd-analyze security --offline=true --threshold=11 "
                            "deploy/kscore.service > /dev/null 2>&1"),
                     0);
}
END_TEST

SUITE(service)
{
    CASE("unit", the_unit_is_one_that_systemd_takes, the_unit_exposes_little);
    CASE("confined", nobody_scores_in_a_file_system_that_cannot_be_written);
}
