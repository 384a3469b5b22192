/* What two bundles bind otherwise, by name. */
#include <stdio.h>
#include <string.h>

#include "pipeline/bundle_changes.h"
#include "tests/events.h"
#include "tests/harness.h"

#define LINES                                                                                      \
    "a = a | x.a : number, required", "b = b : number, optional", "c = c : boolean, required"

static struct threshold low = {0.5, (char *)"high"}, high = {0.6, (char *)"high"},
                        other = {0.5, (char *)"tall"};

static const char *changes(struct features before, struct features after,
                           const struct threshold *threshold)
{
    static char out[BUNDLE_CHANGES_MAX];
    struct bundle a = {.features = before, .thresholds = &low, .below = (char *)"low"};
    struct bundle b = a;

    a.threshold_count = 1;
    b.threshold_count = threshold != NULL;
    b.thresholds = (struct threshold *)threshold;
    b.features = after;
    bundle_changes_print(&a, &b, out);
    features_release(&a.features);
    features_release(&b.features);
    return out;
}

#define EXPECT(want, threshold, ...)                                                               \
    ck_assert_str_eq(                                                                              \
        changes(EVENTS_FEATURES(NULL, LINES), EVENTS_FEATURES(NULL, __VA_ARGS__), threshold),      \
        want)

START_TEST(features_and_thresholds_that_differ_are_named)
{
    EXPECT("changed=model", &low, LINES);
    EXPECT("changed=thresholds", &high, LINES);
    EXPECT("changed=thresholds", &other, LINES);
    EXPECT("changed=thresholds", NULL, LINES);
    EXPECT("features_changed=a,b", &low, "a = b : number, required", "b = a : number, optional",
           "c = c : boolean, required");
    EXPECT("features_changed=a,b,c", &low, "a = a : number, required", "b = b : number, default 1",
           "c = c : boolean, optional");
    EXPECT("features_changed=b features_added=d features_removed=a,c changed=thresholds", &high,
           "b = b : boolean, optional", "d = d : number, optional");
}
END_TEST

START_TEST(tables_that_differ_in_a_code_differ)
{
    static const char one[] = "value,code\nx,0\ny,1\n", two[] = "value,code\nx,1\ny,0\n",
                      more[] = "value,code\nx,0\ny,1\nz,1\n";
    const char *texts[] = {one, two, more};

    for (size_t i = 0; i < 3; i++) {
        char before[300], after[300];
        snprintf(before, sizeof before, "%s", harness_folder());
        harness_write(before, "t.csv", one, strlen(one));
        snprintf(after, sizeof after, "%s", harness_folder());
        harness_write(after, "t.csv", texts[i], strlen(texts[i]));
        ck_assert_str_eq(changes(EVENTS_FEATURES(before, "k = k : category t.csv, required"),
                                 EVENTS_FEATURES(after, "k = k : category t.csv, required"), &low),
                         i == 0 ? "changed=model" : "features_changed=k");
    }
}
END_TEST

START_TEST(of_many_the_first_are_named_and_the_rest_counted)
{
    ck_assert_str_eq(
        changes(EVENTS_FEATURES(NULL, "a = a : number, required"),
                EVENTS_FEATURES(NULL, "b1 = a : number, required", "b2 = a : number, required",
                                "b3 = a : number, required", "b4 = a : number, required",
                                "b5 = a : number, required", "b6 = a : number, required",
                                "b7 = a : number, required", "b8 = a : number, required",
                                "b9 = a : number, required"),
                &low),
        "features_added=b1,b2,b3,b4,b5,b6,b7,b8 and 1 more features_removed=a");
}
END_TEST

SUITE(bundle_changes)
{
    CASE("words", features_and_thresholds_that_differ_are_named,
         tables_that_differ_in_a_code_differ, of_many_the_first_are_named_and_the_rest_counted);
}
