#include "pipeline/alerts.h"

#include <stdio.h>
#include <string.h>

#include "core/text.h"

/* The bundle's decisions, each once, from the lowest; returns how many. */
static size_t list_decisions(const struct bundle *b, const char **names)
{
    size_t count = 0;

    for (size_t i = 0; i <= b->threshold_count && b->below; i++) {
        size_t k = 0;
        while (k < count && strcmp(names[k], bundle_decision_name(b, i)) != 0)
            k++;
        if (k == count)
            names[count++] = bundle_decision_name(b, i);
    }
    return count;
}

static int unknown_decision(const struct bundle *b, const char *name, struct err *err)
{
    const char *names[BUNDLE_MAX_THRESHOLDS + 1], *near;
    size_t count = list_decisions(b, names), len = 0;
    char list[512] = "none";

    for (size_t i = 0; i < count && len < sizeof list; i++)
        len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", i ? ", " : "", names[i]);
    near = text_nearest(name, names, count);
    return err_fatal(err, EXIT_CONFIGURATION,
                     "[alerts] decisions: %s is no decision of model %s, which has %s%s%s%s", name,
                     b->name, list, near ? "; did you mean " : "", near ? near : "",
                     near ? "?" : "");
}

int alerts_init(struct alerts *alerts, const struct config *config, const struct bundle *bundle,
                struct err *err)
{
    *alerts = (struct alerts){.max_age_ms = config->alert_max_age_ms};
    for (size_t i = 0; i < config->alert_decisions.count; i++) {
        const char *name = config->alert_decisions.items[i];
        bool is_known = false;
        for (size_t k = 0; k <= bundle->threshold_count && bundle->below; k++) {
            bool is_same = strcmp(bundle_decision_name(bundle, k), name) == 0;
            alerts->is_wanted[k] = alerts->is_wanted[k] || is_same;
            is_known = is_known || is_same;
        }
        if (!is_known)
            return unknown_decision(bundle, name, err);
    }
    return 0;
}
