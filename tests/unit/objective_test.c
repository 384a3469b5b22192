/* Base scores and links of each objective, at each version where one of them changed. */
#include <math.h>
#include <string.h>

#include "scoring/objective.h"
#include "tests/harness.h"

enum { OLDEST, AT_1_3_1, AT_1_6, AT_3_2, AT_3_4, VERSIONS };
static const int versions[VERSIONS][3] = {{1, 0, 0}, {1, 3, 1}, {1, 6, 0}, {3, 2, 0}, {3, 4, 0}};

static const struct {
    const char *name;
    enum link_kind link;
    enum base base;
} objectives[] = {
    {"reg:squarederror", LINK_IDENTITY, BASE_MARGIN},
    {"reg:linear", LINK_IDENTITY, BASE_MARGIN},
    {"reg:squaredlogerror", LINK_IDENTITY, BASE_MARGIN},
    {"reg:pseudohubererror", LINK_IDENTITY, BASE_MARGIN},
    {"reg:absoluteerror", LINK_IDENTITY, BASE_MARGIN},
    {"reg:quantileerror", LINK_IDENTITY, BASE_MARGIN},
    {"reg:expectileerror", LINK_EXPECTILES, BASE_EXPECTILES},
    {"reg:logistic", LINK_SIGMOID, BASE_PROBABILITY},
    {"binary:logistic", LINK_SIGMOID, BASE_PROBABILITY},
    {"binary:logitraw", LINK_IDENTITY, BASE_MARGIN},
    {"binary:hinge", LINK_HINGE, BASE_MARGIN},
    {"count:poisson", LINK_EXP, BASE_MEAN},
    {"reg:gamma", LINK_EXP, BASE_MEAN},
    {"reg:tweedie", LINK_EXP, BASE_MEAN},
    {"survival:cox", LINK_EXP, BASE_MEAN},
    {"survival:aft", LINK_EXP, BASE_MEAN},
    {"rank:pairwise", LINK_IDENTITY, BASE_MARGIN},
    {"rank:ndcg", LINK_IDENTITY, BASE_MARGIN},
    {"rank:map", LINK_IDENTITY, BASE_MARGIN},
    {"multi:softprob", LINK_SOFTMAX, BASE_MARGIN},
    {"multi:softmax", LINK_CLASS, BASE_MARGIN},
};

START_TEST(each_objective_has_its_link_and_base)
{
    struct objective o;

    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        ck_assert(objective_find(&o, objectives[i].name, versions[AT_1_6]));
        ck_assert_msg(o.link == objectives[i].link && o.base == objectives[i].base, "%s",
                      objectives[i].name);
    }
}
END_TEST

START_TEST(what_changed_is_found_by_version)
{
    static const struct {
        const char *name;
        int version;
        enum link_kind link;
        enum base base;
    } cases[] = {
        {"binary:logitraw", OLDEST, LINK_IDENTITY, BASE_PROBABILITY},
        {"binary:logitraw", AT_1_3_1, LINK_IDENTITY, BASE_MARGIN},
        {"binary:logitraw", AT_3_2, LINK_IDENTITY, BASE_MARGIN},
        {"binary:logistic", AT_1_3_1, LINK_PLAIN_SIGMOID, BASE_PROBABILITY},
        {"reg:logistic", OLDEST, LINK_PLAIN_SIGMOID, BASE_PROBABILITY},
        {"reg:logistic", AT_3_2, LINK_SIGMOID, BASE_BOUND_PROBABILITY},
        {"count:poisson", AT_3_2, LINK_EXP, BASE_MEAN},
        {"reg:quantileerror", AT_3_2, LINK_IDENTITY, BASE_MARGIN},
        {"reg:quantileerror", AT_3_4, LINK_SORTED, BASE_MARGIN},
    };
    struct objective o;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert(objective_find(&o, cases[i].name, versions[cases[i].version]));
        ck_assert_msg(o.link == cases[i].link && o.base == cases[i].base, "%s", cases[i].name);
    }
}
END_TEST

START_TEST(other_names_are_not_found)
{
    static const char *const names[] = {
        "",          "multi:soft",        "multi:", "binary", "binary:logistic ", "Binary:Logistic",
        "rank:mean", "reg:squarederror2", "custom"};
    struct objective o;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        ck_assert(!objective_find(&o, names[i], versions[AT_3_2]));
}
END_TEST

static float base_margin(enum base base, float score)
{
    objective_base_margins(&(struct objective){LINK_IDENTITY, base}, &score, 1);
    return score;
}

START_TEST(base_scores_become_margins)
{
    static const struct {
        enum base base;
        float score, margin;
    } cases[] = {
        {BASE_MARGIN, 0.5f, 0.5f},
        {BASE_MARGIN, -3, -3},
        {BASE_EXPECTILES, -3, -3},
        {BASE_PROBABILITY, 0.5f, -0.0f},
        {BASE_PROBABILITY, 0.2f, -1.38629436f},
        {BASE_PROBABILITY, 1e-7f, -16.1180954f},
        {BASE_BOUND_PROBABILITY, 0.2f, -1.38629436f},
        {BASE_BOUND_PROBABILITY, 0, -13.8155098f},
        {BASE_BOUND_PROBABILITY, 1, 13.7451601f},
        {BASE_MEAN, 1, 0},
        {BASE_MEAN, 0.5f, -0.693147182f},
        {BASE_MEAN, 0, -INFINITY},
        {BASE_PROBABILITY, 0, -INFINITY},
        {BASE_PROBABILITY, 1, INFINITY},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_bits(base_margin(cases[i].base, cases[i].score), cases[i].margin);
    ck_assert(isnan(base_margin(BASE_MEAN, -1)));
    ck_assert(isnan(base_margin(BASE_PROBABILITY, 2)));
}
END_TEST

/* XGBoost 3.4.1's, with base_score [1, 2.5, 2.5]. */
START_TEST(each_expectile_starts_at_its_distance_to_the_one_before)
{
    float base[] = {1, 2.5f, 2.5f};

    objective_base_margins(&(struct objective){LINK_EXPECTILES, BASE_EXPECTILES}, base, 3);
    ck_assert_bits(base[0], 1);
    ck_assert_bits(base[1], 1.24751639f);
    ck_assert_bits(base[2], -13.8155098f);
}
END_TEST

static float link_one(enum link_kind kind, float margin)
{
    struct link link = objective_link(&(struct objective){kind, BASE_MARGIN}, 1);
    double in = (double)margin, out;

    link.apply(&link, &in, 1, &out);
    return (float)out;
}

START_TEST(links_are_those_of_the_library)
{
    static const struct {
        enum link_kind link;
        float margin, prediction;
    } cases[] = {
        {LINK_IDENTITY, -1.5f, -1.5f},
        {LINK_SIGMOID, 0, 0.5f},
        {LINK_SIGMOID, 1, 0.731058598f},
        {LINK_SIGMOID, 200, 1},
        {LINK_SIGMOID, -200, 3.00663579e-39f}, /* cut: never 0 */
        {LINK_SIGMOID, -INFINITY, 3.00663579e-39f},
        {LINK_PLAIN_SIGMOID, 1, 0.731058598f},
        {LINK_PLAIN_SIGMOID, -200, 0},
        {LINK_EXP, 0, 1},
        {LINK_EXP, 1, 2.71828175f},
        {LINK_EXP, 100, INFINITY},
        {LINK_HINGE, 0, 0},
        {LINK_HINGE, -0.0f, 0},
        {LINK_HINGE, 1e-45f, 1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        ck_assert_bits(link_one(cases[i].link, cases[i].margin), cases[i].prediction);
    for (enum link_kind link = LINK_IDENTITY; link <= LINK_EXP; link++)
        ck_assert(isnan(link_one(link, NAN)));
}
END_TEST

/* Margins given as base_margin to a model without trees, and what XGBoost 3.4.1 predicted. */
START_TEST(outputs_of_a_row_are_linked_together)
{
    static const struct {
        enum link_kind link;
        float margins[3], scores[3];
    } cases[] = {
        {LINK_SOFTMAX, {1, 2, 3}, {0.0900305733f, 0.244728476f, 0.665240943f}},
        {LINK_SOFTMAX, {0, 0, 0}, {0.333333343f, 0.333333343f, 0.333333343f}},
        {LINK_SOFTMAX, {200, -200, 0}, {1, 0, 0}},
        {LINK_SOFTMAX, {-3, 2.5f, 2.5f}, {0.00203921879f, 0.498980403f, 0.498980403f}},
        {LINK_CLASS, {1, 2, 3}, {2}},
        {LINK_CLASS, {0, 0, 0}, {0}},
        {LINK_CLASS, {-3, 2.5f, 2.5f}, {1}},
        {LINK_SORTED, {3, 1, 2}, {1, 2, 3}},
        {LINK_SORTED, {1, 1, 0}, {0, 1, 1}},
        {LINK_EXPECTILES, {3, 1, 2}, {3, 4.31326294f, 6.44019222f}},
        {LINK_EXPECTILES, {-1, 0, 1}, {-1, -0.306851804f, 1.00641084f}},
        {LINK_EXPECTILES, {1, -20, 90}, {1, 1.00000095f, 91}},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct link link = objective_link(&(struct objective){cases[i].link, BASE_MARGIN}, 3);
        double margins[6], scores[6];
        ck_assert_uint_eq(link.margin_count, 3);
        ck_assert_uint_eq(link.score_count, cases[i].link == LINK_CLASS ? 1 : 3);
        for (size_t k = 0; k < 6; k++)
            margins[k] = (double)cases[i].margins[k % 3];
        link.apply(&link, margins, 2, scores);
        for (size_t k = 0; k < 2 * link.score_count; k++)
            ck_assert_bits((float)scores[k], cases[i].scores[k % link.score_count]);
    }
}
END_TEST

SUITE(objective)
{
    CASE("names", each_objective_has_its_link_and_base, what_changed_is_found_by_version,
         other_names_are_not_found);
    CASE("numbers", base_scores_become_margins, links_are_those_of_the_library,
         each_expectile_starts_at_its_distance_to_the_one_before,
         outputs_of_a_row_are_linked_together);
}
