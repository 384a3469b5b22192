#include "cli/comparing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/account.h"
#include "cli/bar.h"
#include "cli/compare_view.h"
#include "cli/place.h"
#include "cli/terminal.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/text.h"

static const char *const names[] = {"compare", "against", "tolerance", "published-by",
                                    "published-from"};

bool comparing_is_option(const struct cli_option *option)
{
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(option->name, names[i]) == 0)
            return true;
    return false;
}

/* Some hex of a SHA-256. */
static bool is_digest(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= SHA256_HEX && strspn(text, "0123456789abcdef") == len;
}

bool comparing_take(struct comparing *c, const struct cli_option *option, const char *value)
{
    if (strcmp(option->name, "compare") == 0)
        return c->is_on = true;
    c->option = option->name;
    if (strcmp(option->name, "against") == 0) {
        c->is_on = true;
        return *(c->against = value) != '\0';
    }
    if (strcmp(option->name, "tolerance") == 0)
        return number_parse(value, strlen(value), &c->tolerance) == strlen(value) && *value &&
               c->tolerance >= 0 && isfinite(c->tolerance);
    if (strcmp(option->name, "published-by") == 0)
        return is_digest(c->digest = value);
    return place_parse(value, &c->from);
}

int comparing_check(const struct comparing *c, struct err *err)
{
    if (c->option && !c->is_on)
        return err_fatal(err, EXIT_USAGE, "--%s goes with --compare", c->option);
    if (c->against && (c->digest || c->from.kind != PLACE_START))
        return err_fatal(err, EXIT_USAGE,
                         "with --against nothing that is published is read: no --published-...");
    return 0;
}

static void draw(void *arg, const struct published_progress *p)
{
    char text[300];

    (void)arg;
    snprintf(text, sizeof text, "%.249s, what is published", p->topic);
    bar_draw(p->total > 0 ? (double)p->passed / (double)p->total : 1, text);
}

static void print(const struct compare_result *result, const struct config *config, bool is_json)
{
    const struct compare_view view = {.paint = {stdout, terminal_has_colour()},
                                      .result = result,
                                      .scores = config->score_topic,
                                      .dead = config->dead_topic};

    (is_json ? compare_view_print_json : compare_view_print)(&view);
}

int comparing_run(const struct comparing *c, const struct replay_options *replay,
                  const struct config *against, bool is_json)
{
    struct compare_options o = {.replay = *replay,
                                .against = against,
                                .published = {.digest = c->digest,
                                              .from = c->from,
                                              .progress = replay->progress ? draw : NULL},
                                .tolerance = c->tolerance};
    struct compare_result *result = mem_alloc(1, sizeof *result);
    struct err err = ERR_INIT;
    int code = EXIT_OK;

    if (compare_run(&o, result, &err) != 0)
        code = err.exit_code;
    else if (comparison_records(&result->comparison) == 0 ||
             comparison_differing(&result->comparison) > 0)
        code = EXIT_DATA;
    if (replay->progress)
        bar_clear();
    if (err_is_set(&err))
        log_event(LOG_ERROR, "failed", "exit=%d %s", code, err.text);
    account_say(&result->replays[SIDE_HERE].run, false, code, "");
    if (!err_is_set(&err))
        print(result, replay->config, is_json);
    compare_release(result);
    free(result);
    return code;
}
