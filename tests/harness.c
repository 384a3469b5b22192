#include "tests/harness.h"
#include "core/clock.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"

enum { MAX_SUITES = 200 };

static struct {
    const char *name;
    void (*cases)(Suite *suite);
} suites[MAX_SUITES];
static size_t suite_count;

void harness_register(const char *name, void (*cases)(Suite *suite))
{
    if (suite_count == MAX_SUITES)
        abort();
    suites[suite_count].name = name;
    suites[suite_count++].cases = cases;
}

TCase *harness_case(Suite *suite, const char *name, const TTest *const *tests, size_t count)
{
    TCase *tcase = tcase_create(name);

    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    tcase_set_timeout(tcase, 60 * harness_slowness());
    suite_add_tcase(suite, tcase);
    return tcase;
}

double harness_slowness(void)
{
    const char *text = getenv("KSCORE_TEST_SLOW");
    double factor = text ? atof(text) : 1;

    return factor >= 1 ? factor : 1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info, (void)type, (void)where;
    return remove(path);
}

/* A test that failed leaves its folder to look at. */
static void remove_folder(int status, void *path)
{
    if (status == 0)
        nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

int64_t harness_deadline(void)
{
    return clock_ms() + (int64_t)(30000 * harness_slowness());
}

void harness_breathe(void)
{
    nanosleep(&(struct timespec){0, 10000000}, NULL); /* between two polls */
}

const char *harness_folder(void)
{
    static char path[256];
    const char *base = getenv("TMPDIR");

    snprintf(path, sizeof path, "%s/kscore-test-XXXXXX", base ? base : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        abort();
    }
    on_exit(remove_folder, strdup(path));
    return path;
}

const char *harness_write(const char *folder, const char *name, const void *text, size_t len)
{
    static char path[512];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (!file || fwrite(text, 1, len, file) != len || fclose(file) != 0) {
        perror(path);
        abort();
    }
    return path;
}

const char *harness_data(void)
{
    const char *path = getenv("KSCORE_DATA");
    struct stat info;

    if (!path)
        path = "../shared/data";
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode) ? path : NULL;
}

const char *harness_assignment(void)
{
    static char line[100];
    const char *assignment = getenv("KSCORE_ASSIGNMENT");

    if (assignment)
        snprintf(line, sizeof line, "partition.assignment.strategy = %s\n", assignment);
    return line;
}

/* Tests run in forked children: the count of skipped ones travels in a file that the runner's
 * parent names. */
void harness_skip(const char *why)
{
    const char *path = getenv("KSCORE_SKIPPED");
    FILE *file = path ? fopen(path, "a") : NULL;

    fprintf(stderr, "skipped: %s\n", why);
    if (file) {
        fprintf(file, "%s\n", why);
        fclose(file);
    }
}

void harness_assert_bits(const char *file, int line, float got, float want)
{
    uint32_t a, b;

    memcpy(&a, &got, 4);
    memcpy(&b, &want, 4);
    if (a != b)
        ck_abort_msg("%s:%d: got %.9g (0x%08x), want %.9g (0x%08x)", file, line, (double)got, a,
                     (double)want, b);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list(void)
{
    for (size_t i = 0; i < suite_count; i++)
        puts(suites[i].name);
    return 0;
}

/* runner --list | [SUITE [CASE]]: an unknown suite or a run of zero tests fails. */
int main(int argc, char **argv)
{
    SRunner *runner;
    int ran, failed;

    qsort(suites, suite_count, sizeof suites[0], by_name);
    if (argc > 1 && strcmp(argv[1], "--list") == 0)
        return list();
    /* Check formats 8 KiB of a failure's text and gives up the test's process, with exit code 2 and
     * not a word of the failure, where that is more than half of its message (4 KiB by default). */
    check_set_max_msg_size(4 * BUFSIZ);
    runner = srunner_create(NULL);
    for (size_t i = 0; i < suite_count; i++) {
        Suite *suite;
        if (argc > 1 && argv[1][0] && strcmp(argv[1], suites[i].name) != 0)
            continue;
        suite = suite_create(suites[i].name);
        suites[i].cases(suite);
        srunner_add_suite(runner, suite);
    }
    srunner_run(runner, NULL, argc > 2 && argv[2][0] ? argv[2] : NULL, CK_NORMAL);
    ran = srunner_ntests_run(runner);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    if (ran == 0) {
        fprintf(stderr, "no test ran: suite '%s' case '%s' does not exist\n",
                argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : "");
        return 1;
    }
    return failed != 0;
}
