#include "core/outcome.h"

#include <assert.h>

/* The words as users meet them, in header and metrics. */
enum {
    STAGE_FETCH,
    STAGE_FRAME,
    STAGE_SCHEMA,
    STAGE_DECODE,
    STAGE_BIND,
    STAGE_SCORE,
    STAGE_ENCODE,
    STAGE_PRODUCE
};
enum { BLAME_RECORD, BLAME_SCHEMA, BLAME_MODEL, BLAME_CONFIG, BLAME_DEPENDENCY, BLAME_SELF };

static const char *const stages[] = {"fetch", "frame", "schema", "decode",
                                     "bind",  "score", "encode", "produce"};
static const char *const blames[] = {"record", "schema", "model", "config", "dependency", "self"};

static const struct {
    uint8_t stage, blame;
    const char *reason, *help;
} faults[] = {{0, 0, "", ""},
#define X(name, stage, reason, blame, help) {STAGE_##stage, BLAME_##blame, reason, help},
              FAULTS(X)
#undef X
};

const char *fault_stage(enum fault fault)
{
    assert(fault < FAULT_COUNT);
    return fault == FAULT_NONE ? "" : stages[faults[fault].stage];
}

const char *fault_reason(enum fault fault)
{
    assert(fault < FAULT_COUNT);
    return faults[fault].reason;
}

const char *fault_blame(enum fault fault)
{
    assert(fault < FAULT_COUNT);
    return fault == FAULT_NONE ? "" : blames[faults[fault].blame];
}

const char *fault_help(enum fault fault)
{
    assert(fault < FAULT_COUNT);
    return faults[fault].help;
}
