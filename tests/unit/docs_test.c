/* The tables in docs/ are those of the code, row by row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"
#include "core/kafka_conf.h"
#include "core/journal.h"
#include "core/log.h"
#include "core/outcome.h"
#include "pipeline/check.h"
#include "pipeline/observer.h"
#include "tests/fixture.h"
#include "tests/harness.h"

/* The rows of one table of a page. A cell is cut of blanks and backticks. */
enum { MAX_ROWS = 100, MAX_CELLS = 4 };

static struct {
    char *text;
    char *cells[MAX_ROWS][MAX_CELLS];
    size_t count;
} table;

static char *trim(char *cell)
{
    cell += strspn(cell, " `");
    for (size_t len = strlen(cell); len > 0 && strchr(" `", cell[len - 1]); len--)
        cell[len - 1] = '\0';
    return cell;
}

static void take_row(char *line)
{
    char *rest = line + 1;

    ck_assert_uint_lt(table.count, MAX_ROWS);
    for (size_t i = 0; i < MAX_CELLS && rest; i++) {
        char *cell = strsep(&rest, "|");
        table.cells[table.count][i] = rest ? trim(cell) : NULL;
    }
    table.count++;
}

/* The table whose heading is this line. */
static void read_table(const char *path, const char *heading)
{
    struct err err = ERR_INIT;
    bool is_inside = false;
    char *rest;
    size_t len;

    memset(&table, 0, sizeof table);
    ck_assert_msg(file_read(path, 1 << 20, &table.text, &len, &err) == 0, "%s", err.text);
    rest = table.text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (strcmp(line, heading) == 0)
            is_inside = true;
        else if (*line != '|')
            is_inside = false;
        else if (is_inside && strncmp(line, "|---", 4) != 0)
            take_row(line);
    }
    ck_assert_msg(table.count > 0, "%s has no table %s", path, heading);
}

static void release_table(void)
{
    free(table.text);
}

START_TEST(dead_letters_lists_each_fault_in_the_order_of_the_code)
{
    read_table("docs/dead-letters.md", "| stage | reason | blame | what it means |");
    ck_assert_uint_eq(table.count, FAULT_COUNT - 1);
    for (size_t i = 0; i < table.count; i++) {
        enum fault fault = (enum fault)(i + 1);
        ck_assert_str_eq(table.cells[i][0], fault_stage(fault));
        ck_assert_str_eq(table.cells[i][1], fault_reason(fault));
        ck_assert_str_eq(table.cells[i][2], fault_blame(fault));
        ck_assert_str_eq(table.cells[i][3], fault_help(fault));
    }
}
END_TEST

START_TEST(check_lists_each_check_in_its_order)
{
    const char *names[MAX_ROWS];
    size_t count = check_names(names, MAX_ROWS);

    read_table("docs/check.md", "| check | what is proven | failed |");
    ck_assert_uint_eq(table.count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_str_eq(table.cells[i][0], names[i]);
}
END_TEST

START_TEST(kafka_settings_lists_each_preset_with_its_value)
{
    size_t count;
    const struct kafka_preset *presets = kafka_conf_presets(&count);

    read_table("docs/kafka-settings.md", "| client | key | value | why |");
    ck_assert_uint_eq(table.count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(table.cells[i][0],
                         presets[i].role == KAFKA_CONSUMER ? "consumer" : "producer");
        ck_assert_str_eq(table.cells[i][1], presets[i].name);
        ck_assert_str_eq(table.cells[i][2], presets[i].value);
        ck_assert_uint_gt(strlen(table.cells[i][3]), 5);
    }
}
END_TEST

static bool has_value(const rd_kafka_conf_t *conf, const char *name, const char *want)
{
    char value[100];
    size_t size = sizeof value;

    return rd_kafka_conf_get(conf, name, value, &size) == RD_KAFKA_CONF_OK &&
           strcmp(value, want) == 0;
}

START_TEST(kafka_settings_lists_each_owned_key_with_its_value)
{
    struct err err = ERR_INIT;
    struct config config;
    size_t count;
    const struct kafka_owned *owned = kafka_conf_owned(&count);

    fixture_config(&config, FIXTURE_CONFIG);
    rd_kafka_conf_t *consumer = kafka_conf_new(&config, KAFKA_CONSUMER, &err);
    rd_kafka_conf_t *producer = kafka_conf_new(&config, KAFKA_PRODUCER, &err);
    read_table("docs/kafka-settings.md", "| key | value | why, or what to use |");
    ck_assert_uint_eq(table.count, count);
    for (size_t i = 0; i < count; i++) {
        const char *name = table.cells[i][0], *value = table.cells[i][1];
        ck_assert_str_eq(name, owned[i].name);
        ck_assert_msg(!*value || has_value(consumer, name, value) ||
                          has_value(producer, name, value),
                      "%s is %s for neither client", name, value);
        ck_assert_str_eq(table.cells[i][2], owned[i].remedy);
    }
    rd_kafka_conf_destroy(consumer);
    rd_kafka_conf_destroy(producer);
    config_release(&config);
}
END_TEST

START_TEST(log_events_lists_the_closed_list_in_its_order)
{
    const char *const *events = log_events();
    size_t count = 0;

    while (events[count])
        count++;
    read_table("docs/log-events.md", "| event | when |");
    ck_assert_uint_eq(table.count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(table.cells[i][0], events[i]);
        ck_assert_uint_gt(strlen(table.cells[i][1]), 5);
    }
}
END_TEST

START_TEST(metrics_lists_each_metric_in_its_order)
{
    struct metric_row rows[MAX_ROWS];
    size_t count = observer_metric_rows(rows, MAX_ROWS);

    read_table("docs/metrics.md", "| name | type | labels | meaning |");
    ck_assert_uint_eq(table.count, count);
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(table.cells[i][0], rows[i].name);
        ck_assert_str_eq(table.cells[i][1], rows[i].type);
        ck_assert_str_eq(table.cells[i][2], rows[i].labels);
        ck_assert_str_eq(table.cells[i][3], rows[i].help);
    }
}
END_TEST

START_TEST(journal_lists_each_event_that_is_kept)
{
    static const char *const kinds[] = {"", "change", "trouble", "error"};
    const char *const *events = log_events();
    size_t kept = 0;

    read_table("docs/journal.md", "| event | kind | what it can be the cause of |");
    for (size_t i = 0; i < table.count; i++)
        ck_assert_str_eq(table.cells[i][1], kinds[journal_kind_of(table.cells[i][0])]);
    for (size_t i = 0; events[i]; i++)
        kept += journal_kind_of(events[i]) != JOURNAL_NONE;
    ck_assert_uint_eq(table.count, kept);
}
END_TEST

SUITE(docs)
{
    TCase *tables =
        CASE("tables", dead_letters_lists_each_fault_in_the_order_of_the_code,
             kafka_settings_lists_each_preset_with_its_value,
             kafka_settings_lists_each_owned_key_with_its_value,
             log_events_lists_the_closed_list_in_its_order, check_lists_each_check_in_its_order,
             metrics_lists_each_metric_in_its_order, journal_lists_each_event_that_is_kept);
    tcase_add_checked_fixture(tables, NULL, release_table);
}
