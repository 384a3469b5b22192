/* model.c: kscore model. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "core/config.h"
#include "core/mem.h"
#include "pipeline/model_report.h"

static const struct cli_option options[] = {
    {0, "json", NULL, "one JSON object"},
    {0, "rounds", "N", "of the first N boosting rounds, or up to the best; default: all"},
};

struct arguments {
    const char *paths[2];
    struct model_options model;
    bool is_json;
};

static bool take(void *arg, const struct cli_option *option, const char *value)
{
    struct arguments *a = arg;

    if (option && strcmp(option->name, "rounds") == 0)
        return config_parse_rounds(value, &a->model.rounds);
    if (option)
        a->is_json = true;
    else if (a->paths[1])
        return false;
    else
        a->paths[a->paths[0] != NULL] = value;
    return true;
}

/* A feature's line of model.ini, but for the name of its table; a new text. */
static char *rule_of(const struct feature *f)
{
    static const char *const types[] = {"number", "boolean", "category"};
    char *text;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < f->path_count; i++)
        fprintf(out, "%s%s", i ? " | " : "", f->paths[i].text);
    fprintf(out, " : %s", types[f->type]);
    if (f->table)
        fprintf(out, " of %zu", category_code_count(f->table));
    if (f->required)
        fputs(", required", out);
    else if (f->missing != f->missing)
        fputs(", optional", out);
    else
        fprintf(out, ", default %.9g", (double)f->missing);
    if (f->table)
        fprintf(out, ", unknown as %s", f->unknown_is_missing ? "missing" : "error");
    fclose(out);
    return text;
}

/* ---- text */

static void print_output(const struct bundle *b)
{
    static const char *const kinds[] = {"probability", "value", "margin"};

    printf("  output   %s %s", kinds[b->output], b->output_name);
    if (b->threshold_count > 0)
        printf(": %s", b->below);
    for (size_t i = 0; i < b->threshold_count; i++)
        printf(", %s from %.9g", b->thresholds[i].decision, b->thresholds[i].from);
    putchar('\n');
}

static void print_features(const struct loaded *l)
{
    int width = 7;

    for (size_t i = 0; i < l->features->count; i++) {
        int len = (int)strlen(l->features->items[i].name);
        width = len > width ? len : width;
    }
    printf("\n  %-*s  splits%s\n", width, "feature", l->bundle ? "  from" : "");
    for (size_t i = 0; i < l->features->count; i++) {
        char *rule = rule_of(&l->features->items[i]);
        printf("  %-*s  %6zu%s%s\n", width, l->features->items[i].name,
               model_split_count(l->model, i), l->bundle ? "  " : "", l->bundle ? rule : "");
        free(rule);
    }
}

static void print_report(const char *path, const struct model_report *r)
{
    const struct loaded *l = &r->loaded;
    const struct bundle *b = l->bundle;

    if (b)
        printf("%s: %s %s, digest %s\n", path, b->name, b->version, b->digest);
    else
        printf("%s: a model file without a bundle\n", path);
    printf("  model    %s\n", model_summary(l->model));
    if (b)
        print_output(b);
    printf("  size     %.0f KiB, trees of at most %zu levels\n",
           (double)model_size_bytes(l->model) / 1024, model_depth(l->model));
    printf("  speed    %.0f ns a row, kernel %s\n", r->row_ns, model_kernel(l->model));
    if (b)
        printf("  goldens  %zu, all hold\n", b->golden_count);
}

/* ---- JSON */

static json_t *json_output(const struct bundle *b)
{
    static const char *const kinds[] = {"probability", "value", "margin"};
    json_t *thresholds = json_array();

    for (size_t i = 0; i < b->threshold_count; i++)
        json_array_append_new(thresholds, json_pack("{s:f,s:s}", "from", b->thresholds[i].from,
                                                    "decision", b->thresholds[i].decision));
    return json_pack("{s:s,s:s,s:s?,s:o}", "kind", kinds[b->output], "name", b->output_name,
                     "below", b->below, "thresholds", thresholds);
}

static json_t *json_report(const char *path, const struct model_report *r)
{
    const struct loaded *l = &r->loaded;
    json_t *features = json_array(), *report;

    for (size_t i = 0; i < l->features->count; i++) {
        char *rule = rule_of(&l->features->items[i]);
        json_array_append_new(
            features, json_pack("{s:s,s:I,s:s}", "name", l->features->items[i].name, "splits",
                                (json_int_t)model_split_count(l->model, i), "rule", rule));
        free(rule);
    }
    report = json_pack("{s:s,s:s,s:I,s:I,s:I,s:s,s:f,s:o}", "path", path, "model",
                       model_summary(l->model), "trees", (json_int_t)model_tree_count(l->model),
                       "depth", (json_int_t)model_depth(l->model), "size_bytes",
                       (json_int_t)model_size_bytes(l->model), "kernel", model_kernel(l->model),
                       "row_ns", r->row_ns, "features", features);
    if (l->bundle)
        json_object_update_new(report,
                               json_pack("{s:s,s:s,s:s,s:o,s:I}", "name", l->bundle->name,
                                         "version", l->bundle->version, "digest", l->bundle->digest,
                                         "output", json_output(l->bundle), "goldens",
                                         (json_int_t)l->bundle->golden_count));
    return report;
}

static void print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
    putchar('\n');
    json_decref(json);
}

/* ---- two models */

enum change { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_MOVED, CHANGE_RULE };

struct changes {
    const struct model_report *reports[2];
    void (*say)(void *arg, enum change change, const char *name, const char *was, const char *is);
    void *arg;
};

static const struct feature *find(const struct features *features, const char *name, size_t *at)
{
    for (*at = 0; *at < features->count; ++*at)
        if (strcmp(features->items[*at].name, name) == 0)
            return &features->items[*at];
    return NULL;
}

static void compare_rules(const struct changes *c, const struct feature *was,
                          const struct feature *is)
{
    char *a = rule_of(was), *b = rule_of(is);

    if (strcmp(a, b) != 0)
        c->say(c->arg, CHANGE_RULE, is->name, a, b);
    free(a);
    free(b);
}

static void each_change(const struct changes *c)
{
    const struct features *a = c->reports[0]->loaded.features, *b = c->reports[1]->loaded.features;
    size_t at;

    for (size_t i = 0; i < a->count; i++)
        if (!find(b, a->items[i].name, &at))
            c->say(c->arg, CHANGE_REMOVED, a->items[i].name, "", "");
    for (size_t i = 0; i < b->count; i++) {
        const struct feature *was = find(a, b->items[i].name, &at);
        if (!was)
            c->say(c->arg, CHANGE_ADDED, b->items[i].name, "", "");
        else if (a->count == b->count && at != i)
            c->say(c->arg, CHANGE_MOVED, b->items[i].name, "", "");
        if (was && c->reports[0]->loaded.bundle && c->reports[1]->loaded.bundle)
            compare_rules(c, was, &b->items[i]);
    }
}

static const char *const change_words[] = {"added", "removed", "moved", "rule"};

static void say_text(void *arg, enum change change, const char *name, const char *was,
                     const char *is)
{
    size_t *count = arg;

    ++*count;
    if (change == CHANGE_RULE)
        printf("  %s: was \"%s\", is \"%s\"\n", name, was, is);
    else
        printf("  %s: %s\n", name, change_words[change]);
}

static void say_json(void *arg, enum change change, const char *name, const char *was,
                     const char *is)
{
    json_array_append_new(arg, json_pack("{s:s,s:s,s:s,s:s}", "feature", name, "change",
                                         change_words[change], "was", was, "is", is));
}

static void print_difference(const struct model_difference *d)
{
    if (d->golden_count == 0)
        printf("\nno goldens that both can score\n");
    else
        printf(
            "\n%zu goldens through both: margins differ in %zu, decisions in %zu; scores by %.6g "
            "at most, %.6g in the mean\n",
            d->golden_count, d->margin_count, d->decision_count, d->largest, d->mean);
}

static void show_two(const struct arguments *a, const struct model_report *reports, struct err *err)
{
    struct changes changes = {.reports = {&reports[0], &reports[1]}};
    struct model_difference d;
    size_t count = 0;
    json_t *list;

    if (model_compare(&reports[0], &reports[1], &d, err) != 0)
        return;
    if (!a->is_json) {
        print_report(a->paths[0], &reports[0]);
        print_report(a->paths[1], &reports[1]);
        printf("\nfeatures\n");
        changes.say = say_text;
        changes.arg = &count;
        each_change(&changes);
        if (count == 0)
            printf("  the same\n");
        print_difference(&d);
        return;
    }
    changes.say = say_json;
    changes.arg = list = json_array();
    each_change(&changes);
    print_json(json_pack(
        "{s:[o,o],s:o,s:{s:I,s:I,s:I,s:f,s:f}}", "models", json_report(a->paths[0], &reports[0]),
        json_report(a->paths[1], &reports[1]), "changes", list, "goldens", "count",
        (json_int_t)d.golden_count, "margins_differ", (json_int_t)d.margin_count,
        "decisions_differ", (json_int_t)d.decision_count, "largest", d.largest, "mean", d.mean));
}

static void show_one(const struct arguments *a, const struct model_report *report)
{
    if (a->is_json) {
        print_json(json_report(a->paths[0], report));
        return;
    }
    print_report(a->paths[0], report);
    print_features(&report->loaded);
}

static int run(const struct cli_command *command, int argc, char **argv)
{
    struct model_report reports[2] = {0};
    struct arguments a = {0};
    struct err err = ERR_INIT;

    if (cli_parse(command, argc, argv, take, &a, &err) != 0)
        return cli_fail(command, &err);
    if (!a.paths[0]) {
        err_fatal(&err, EXIT_USAGE, "PATH is missing; see kscore model --help");
        return cli_fail(command, &err);
    }
    if (model_report_load(&reports[0], a.paths[0], &a.model, &err) == 0) {
        if (!a.paths[1])
            show_one(&a, &reports[0]);
        else if (model_report_load(&reports[1], a.paths[1], &a.model, &err) == 0)
            show_two(&a, reports, &err);
    }
    model_report_release(&reports[0]);
    model_report_release(&reports[1]);
    return err_is_set(&err) ? cli_fail(command, &err) : EXIT_OK;
}

const struct cli_command cli_model = {
    .name = "model",
    .summary = "describe a model, or compare two",
    .usage = "kscore model PATH [OTHER] [--rounds N] [--json]",
    .help = "PATH is a bundle, or a bare model file. A bundle's golden rows and events are run "
            "first.\n\n"
            "  kscore model examples/payments/bundle\n"
            "  kscore model models/delay-1 models/delay-2      what a deploy would change\n"
            "  kscore model model.ubj --json | jq .trees\n"
            "  kscore model models/delay-2 --rounds 100        what [model] rounds would score, "
            "and whether\n"
            "                                                  the goldens hold with it\n\n"
            "splits  how many nodes of all trees ask for the feature; 0: it has no say\n"
            "speed   one thread of this machine, rows of 1,024 at once\n\n"
            "Two: what became of each feature, and the goldens of both through both models.\n",
    .options = options,
    .option_count = sizeof options / sizeof options[0],
    .run = run,
};
