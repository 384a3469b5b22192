#include "tests/broker/child.h"

#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/file.h"
#include "tests/broker/outcomes.h"
#include "tests/harness.h"

enum { MAX_WORDS = 40, MAX_LOG = 64 << 20 };

static void find_binary(char *path, size_t cap)
{
    const char *name = getenv("KSCORE_BINARY");
    char self[400];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);

    ck_assert_int_gt(len, 0);
    self[len] = '\0';
    snprintf(path, cap, "%s/%s", dirname(self), name ? name : "kscore");
}

void child_exec(struct child *k, const char *folder, const char *const *words)
{
    static int count;
    const char *argv[MAX_WORDS] = {"kscore"};
    char binary[420];

    *k = (struct child){.code = -1};
    snprintf(k->path, sizeof k->path, "%s/log-%d", folder, count++);
    find_binary(binary, sizeof binary);
    for (size_t i = 0; words[i]; i++) {
        ck_assert_uint_lt(i + 2, MAX_WORDS);
        argv[i + 1] = words[i];
    }
    k->pid = fork();
    ck_assert_int_ge(k->pid, 0);
    if (k->pid == 0) {
        int fd = open(k->path, O_CREAT | O_WRONLY | O_APPEND, 0644);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(fd, STDOUT_FILENO);
        dup2(fd, STDERR_FILENO);
        execv(binary, (char **)argv);
        perror(binary);
        _exit(127);
    }
}

void child_command(struct child *k, struct cluster *c, const char *command,
                   const char *const *words)
{
    const char *all[32] = {command, "-c", c->config};

    for (size_t count = 3; *words; count++)
        all[count] = *words++;
    child_exec(k, c->folder, all);
}

void child_start(struct child *k, struct cluster *c, const char *const *items)
{
    const char *words[MAX_WORDS] = {"run", "-c", c->config};
    size_t count = 3;
    char instance[64];

    if (cluster_is_exactly_once()) { /* one name for one struct child, whatever it runs next */
        snprintf(instance, sizeof instance, "kscore.instance=c%zx", (size_t)k);
        words[count++] = "-s";
        words[count++] = "kscore.delivery=exactly_once";
        words[count++] = "-s";
        words[count++] = "kscore.transaction_ms=100";
        words[count++] = "-s";
        words[count++] = instance;
    }
    for (; *items; items++) {
        ck_assert_uint_lt(count + 2, MAX_WORDS);
        words[count++] = "-s";
        words[count++] = *items;
    }
    child_exec(k, c->folder, words);
}

static void read_log(struct child *k)
{
    struct err err = ERR_INIT;
    size_t len;

    free(k->log);
    k->log = NULL;
    if (file_read(k->path, MAX_LOG, &k->log, &len, &err) != 0)
        k->log = strdup("");
}

bool child_is_running(struct child *k)
{
    int status;

    if (k->code >= 0)
        return false;
    if (waitpid(k->pid, &status, WNOHANG) != k->pid)
        return true;
    k->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return false;
}

/* The nth place of text in the log, NULL when it is not there so often. */
static const char *find(const struct child *k, const char *text, int nth)
{
    const char *at = k->log;

    while ((at = strstr(at, text)) && --nth > 0)
        at += strlen(text);
    return at;
}

/* What a failure shows: Check prints no more than 8 KiB of a text. */
static const char *log_end(const struct child *k)
{
    enum { SHOWN = 7000 };
    size_t len = strlen(k->log);

    return len > SHOWN ? k->log + len - SHOWN : k->log;
}

const char *child_wait_line(struct child *k, const char *text, int nth)
{
    static char lines[4][4000];
    static int next;
    int64_t until = harness_deadline();
    const char *at;

    for (;;) {
        bool is_running = child_is_running(k);
        read_log(k);
        if ((at = find(k, text, nth)))
            break;
        ck_assert_msg(is_running, "ended with %d without \"%s\" (%d times); its log ends:\n%s",
                      k->code, text, nth, log_end(k));
        ck_assert_msg(clock_ms() < until, "no \"%s\" (%d times) in time; the log ends:\n%s", text,
                      nth, log_end(k));
        harness_breathe();
    }
    while (at > k->log && at[-1] != '\n')
        at--;
    next = (next + 1) % 4;
    snprintf(lines[next], sizeof lines[next], "%.*s", (int)strcspn(at, "\n"), at);
    return lines[next];
}

int child_count(struct child *k, const char *text)
{
    int count = 0;

    read_log(k);
    while (find(k, text, count + 1))
        count++;
    return count;
}

void child_send_until(struct child *k, struct cluster *c, const char *text)
{
    int64_t until = harness_deadline();

    while (child_count(k, text) == 0) {
        ck_assert_msg(clock_ms() < until, "no \"%s\" in time; the log ends:\n%s", text, log_end(k));
        cluster_send_events(c, 20);
        harness_breathe();
    }
}

int64_t child_number(const char *line, const char *name)
{
    char pattern[64];
    const char *at;

    snprintf(pattern, sizeof pattern, " %s=", name);
    at = strstr(line, pattern);
    ck_assert_msg(at != NULL, "no%s in: %s", pattern, line);
    return strtoll(at + strlen(pattern), NULL, 10);
}

void child_signal(struct child *k, int number)
{
    ck_assert_int_eq(kill(k->pid, number), 0);
}

void child_expect_exit(struct child *k, int code)
{
    int64_t until = harness_deadline();

    while (child_is_running(k)) {
        if (clock_ms() >= until) {
            read_log(k);
            ck_abort_msg("did not end in time; its log ends:\n%s", log_end(k));
        }
        harness_breathe();
    }
    read_log(k);
    ck_assert_msg(k->code == code, "exit code %d, want %d; the log ends:\n%s", k->code, code,
                  log_end(k));
}

const char *child_expect_complaint(struct child *k, const char *text)
{
    bool has_log = child_count(k, " error event=") > 0;
    const char *line;

    ck_assert_msg(child_count(k, " error event=") + child_count(k, "kscore run: ") == 1,
                  "want exactly one line that complains:\n%s", log_end(k));
    line = child_wait_line(k, has_log ? " error event=" : "kscore", 1);
    ck_assert_msg(strstr(line, text) != NULL, "want \"%s\" in: %s", text, line);
    return line;
}

const char *child_stop(struct child *k)
{
    const char *line;

    child_signal(k, SIGTERM);
    child_expect_exit(k, 0);
    line = child_wait_line(k, "event=stopped", 1);
    ck_assert_msg(strstr(k->log, line)[strlen(line) + 1] == '\0',
                  "event=stopped is not the last line:\n%s", log_end(k));
    ck_assert_msg(child_number(line, "consumed") ==
                      child_number(line, "scored") + child_number(line, "dead") +
                          child_number(line, "skipped") + child_number(line, "returned") +
                          child_number(line, "in_flight"),
                  "P1 does not hold: %s", line);
    return line;
}

void child_kill(struct child *k)
{
    child_signal(k, SIGKILL);
    child_expect_exit(k, 128 + SIGKILL);
    child_release(k);
}

void child_release(struct child *k)
{
    if (child_is_running(k)) {
        kill(k->pid, SIGKILL);
        waitpid(k->pid, NULL, 0);
    }
    free(k->log);
}

void child_finish_pair(struct cluster *cluster, struct child *a, struct child *b)
{
    child_stop(a);
    child_stop(b);
    ck_assert_uint_eq(expect_outcomes(cluster, NULL), 0);
    cluster_expect_no_lag(cluster);
    child_release(a);
    child_release(b);
    cluster_close(cluster);
}
