/* columns.h: CSV lines as JSON events, so that one decoder judges both.
 *
 * The heading names event fields as model.ini's paths write them (weather.temp is one column of
 * that name); a line becomes {"weather.temp":73.9,"carrier":"UA"}, bound by a copy of the features
 * in which each path is a single key.
 */
#ifndef PIPELINE_COLUMNS_H
#define PIPELINE_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/feature.h"
#include "core/slice.h"
#include "scoring/model.h"

struct column {
    char *key; /* the name as a JSON string */
    size_t key_len;
    enum feature_type type; /* of the first feature it feeds */
    bool is_used;
};

struct columns {
    struct features features; /* flat copies; tables are borrowed */
    struct column *items;
    size_t count;
    char *json; /* the event of the last line */
    size_t json_cap;
};

void columns_init(struct columns *columns, const struct features *features);
void columns_release(struct columns *columns);

/* Takes the first line. EXIT_DATA when a column comes twice, or none feeds a feature. */
int columns_read_heading(struct columns *columns, const char *line, size_t len, struct err *err);

/* One line as an event, in a buffer that the next call reuses. False when the cells do not match
 * the heading. */
bool columns_to_json(struct columns *columns, const char *line, size_t len, struct slice *event);

/* Features of a bare model: one number of each name (f0, f1, ... where the file stores none),
 * optional; texts where the file stores category texts. */
void columns_of_model(struct features *features, const struct model *model);

#endif
