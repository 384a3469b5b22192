/* config.example.ini is the manual: it must be true. Held against the table in core/config.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/config.h"
#include "core/file.h"
#include "core/kafka_conf.h"
#include "tests/harness.h"

/* A line of the example that sets a key, or would without its ";". */
struct setting {
    char section[32], name[64], value[128];
    bool is_commented;
    size_t line; /* index into the lines */
};

struct example {
    char *text, *lines[1000];
    size_t line_count, setting_count;
    struct setting settings[200];
};

static void take_line(struct example *e, char *line, char section[32])
{
    struct setting *s = &e->settings[e->setting_count];
    const char *at = line + (*line == ';');

    e->lines[e->line_count++] = line;
    if (sscanf(line, "[%31[a-z_]]", section) == 1 || *line == '#' || *line == '\0')
        return;
    ck_assert_uint_lt(e->setting_count, 200);
    s->value[0] = '\0';
    ck_assert_msg(sscanf(at, "%63[A-Za-z0-9_.] = %127[^\n]", s->name, s->value) == 2,
                  "neither comment nor setting: %s", line);
    snprintf(s->section, sizeof s->section, "%s", section);
    s->is_commented = *line == ';';
    s->line = e->line_count - 1;
    e->setting_count++;
}

static struct example example;

static void open_example(void)
{
    struct err err = ERR_INIT;
    char section[32] = "", *rest;
    size_t len;

    example = (struct example){0};
    ck_assert_msg(file_read("config.example.ini", 1 << 20, &example.text, &len, &err) == 0, "%s",
                  err.text);
    rest = example.text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        ck_assert_uint_lt(example.line_count, 1000);
        take_line(&example, line, section);
    }
}

static void close_example(void)
{
    free(example.text);
}

/* The example as a configuration, with one commented setting (or all, or none) made plain, and what
 * it needs. Of two that exclude one another all has the first. */
enum { NONE = -1, ALL = -2 };

static bool is_excluded(const struct setting *s)
{
    return strcmp(s->name, "registry.url") == 0 || strcmp(s->name, "bearer.auth.token") == 0;
}

/* The keys of [alerts] are nothing without one another. */
static bool needs(const struct setting *s, const struct setting *other)
{
    return strcmp(s->section, "alerts") == 0 && strcmp(other->section, "alerts") == 0;
}

static void parse(const struct example *e, int plain, struct config *config)
{
    struct err err = ERR_INIT;
    size_t len, at = 0;
    char *text;
    FILE *out = open_memstream(&text, &len);

    for (size_t i = 0; i < e->line_count; i++) {
        bool is_plain = plain == ALL;
        while (at < e->setting_count && e->settings[at].line < i)
            at++;
        is_plain = is_plain || (plain >= 0 && e->settings[plain].line == i);
        is_plain = is_plain || (plain >= 0 && at < e->setting_count &&
                                needs(&e->settings[plain], &e->settings[at]));
        is_plain = is_plain && at < e->setting_count && e->settings[at].line == i;
        is_plain = is_plain && !(plain == ALL && is_excluded(&e->settings[at]));
        fprintf(out, "%s\n", e->lines[i] + (is_plain && *e->lines[i] == ';'));
    }
    fclose(out);
    ck_assert_int_eq(setenv("KAFKA_PASSWORD", "from the environment", 1), 0);
    ck_assert_int_eq(setenv("SCHEMA_REGISTRY_PASSWORD", "from the environment", 1), 0);
    ck_assert_int_eq(setenv("SCHEMA_REGISTRY_TOKEN", "from the environment", 1), 0);
    ck_assert_int_eq(setenv("SCHEMA_REGISTRY_KEY_PASSWORD", "from the environment", 1), 0);
    ck_assert_msg(config_parse(config, "config.example.ini", text, len, NULL, &err) == 0,
                  "with %s: %s", plain >= 0 ? e->settings[plain].name : "all or none", err.text);
    free(text);
}

static const struct config_row *find_row(const struct setting *s)
{
    const struct config_row *rows;
    size_t count = config_rows(&rows);

    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].section, s->section) == 0 && strcmp(rows[i].name, s->name) == 0)
            return &rows[i];
    return NULL;
}

START_TEST(every_key_of_the_table_appears_once_in_its_order)
{
    const struct example *e = &example;
    const struct config_row *rows, *last = NULL;
    size_t count = config_rows(&rows), met = 0;

    for (size_t i = 0; i < e->setting_count; i++) {
        const struct config_row *row = find_row(&e->settings[i]);
        if (!row)
            continue;
        ck_assert_msg(!last || row == last + 1, "[%s] %s is not where the table has it",
                      row->section, row->name);
        last = row;
        met++;
    }
    ck_assert_uint_eq(met, count);
}
END_TEST

START_TEST(what_is_required_stands_plain_and_defaults_are_those_of_the_table)
{
    const struct example *e = &example;

    for (size_t i = 0; i < e->setting_count; i++) {
        const struct setting *s = &e->settings[i];
        const struct config_row *row = find_row(s);
        if (!row)
            continue;
        ck_assert_msg(s->is_commented != row->is_required, "[%s] %s", s->section, s->name);
        if (*row->preset)
            ck_assert_msg(strcmp(s->value, row->preset) == 0, "[%s] %s is %s, the table says %s",
                          s->section, s->name, s->value, row->preset);
    }
}
END_TEST

START_TEST(all_other_keys_are_librdkafkas_and_may_be_set)
{
    const struct example *e = &example;
    size_t met = 0;
    char why[300];

    for (size_t i = 0; i < e->setting_count; i++) {
        const struct setting *s = &e->settings[i];
        if (find_row(s))
            continue;
        ck_assert_msg(strcmp(s->section, "kafka") == 0 || strcmp(s->section, "consumer") == 0 ||
                          strcmp(s->section, "producer") == 0,
                      "[%s] %s", s->section, s->name);
        ck_assert_msg(kafka_conf_check(s->name, s->value, why, sizeof why), "%s", why);
        met++;
    }
    ck_assert_uint_gt(met, 5);
}
END_TEST

START_TEST(every_setting_has_its_comment)
{
    const struct example *e = &example;

    /* librdkafka's come in groups below one comment. */
    for (size_t i = 0; i < e->setting_count; i++) {
        const struct setting *s = &e->settings[i];
        ck_assert_msg(s->line > 0 && (*e->lines[s->line - 1] == '#' || !find_row(s)), "[%s] %s",
                      s->section, s->name);
    }
}
END_TEST

START_TEST(the_file_loads_as_it_is)
{
    struct config config;

    parse(&example, NONE, &config);
    ck_assert_str_eq(config.name, "fraud");
    ck_assert_str_eq(config.dead_topic, "payments-dead");
    config_release(&config);
}
END_TEST

START_TEST(every_setting_may_be_made_plain)
{
    const struct example *e = &example;
    struct config config;

    for (size_t i = 0; i < e->setting_count; i++) {
        parse(e, (int)i, &config);
        config_release(&config);
    }
    parse(e, ALL, &config);
    ck_assert_str_eq(config.instance, "fraud-1");
    ck_assert_str_eq(config.schema_folder, "schemas");
    config_release(&config);
}
END_TEST

/* The digest is over what is in effect: a default that is written out changes nothing. */
START_TEST(a_default_that_is_made_plain_changes_nothing)
{
    const struct example *e = &example;
    struct config plain, config;

    parse(e, NONE, &plain);
    for (size_t i = 0; i < e->setting_count; i++) {
        const struct config_row *row = find_row(&e->settings[i]);
        if (!row || !*row->preset)
            continue;
        parse(e, (int)i, &config);
        ck_assert_msg(strcmp(config.digest, plain.digest) == 0, "[%s] %s", row->section, row->name);
        config_release(&config);
    }
    config_release(&plain);
}
END_TEST

SUITE(config_example)
{
    TCase *table =
        CASE("table", every_key_of_the_table_appears_once_in_its_order,
             what_is_required_stands_plain_and_defaults_are_those_of_the_table,
             all_other_keys_are_librdkafkas_and_may_be_set, every_setting_has_its_comment);
    TCase *loads = CASE("loads", the_file_loads_as_it_is, every_setting_may_be_made_plain,
                        a_default_that_is_made_plain_changes_nothing);
    tcase_add_checked_fixture(table, open_example, close_example);
    tcase_add_checked_fixture(loads, open_example, close_example);
}
