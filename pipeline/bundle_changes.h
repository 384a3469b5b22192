/* bundle_changes.h: how two bundles differ in what model.ini says, in words for the log: whose
 * deploy swapped two fields finds both features here. What a model file learnt shows in its scores.
 */
#ifndef PIPELINE_BUNDLE_CHANGES_H
#define PIPELINE_BUNDLE_CHANGES_H

#include "scoring/bundle.h"

enum { BUNDLE_CHANGES_MAX = 700 };

/* "features_changed=dep_delay,taxi_out features_added=x features_removed=y changed=thresholds", the
 * words that there is something to say for; else "changed=model". A feature has changed when its
 * paths, type, table, or what missing and unknown mean have; of each list the first 8 are named. */
void bundle_changes_print(const struct bundle *before, const struct bundle *after,
                          char out[BUNDLE_CHANGES_MAX]);

#endif
