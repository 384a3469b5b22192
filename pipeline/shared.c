#include "pipeline/shared.h"

#include <stdio.h>
#include <string.h>

#include "core/log.h"
#include "core/sha256.h"
#include "pipeline/backoff.h"
#include "pipeline/folder_watch.h"
#include "pipeline/golden_events.h"
#include "pipeline/schemas.h"

bool shared_is_stopping(const struct shared *s)
{
    return *s->options->stop || atomic_load_explicit(&s->failed, memory_order_relaxed) >= 0;
}

void shared_name_run(const struct config *config, const char *build, char run[RUN_MAX])
{
    char hex[SHA256_HEX + 1];
    struct sha256 hash;

    sha256_init(&hash);
    sha256_add(&hash, build, strlen(build));
    sha256_add(&hash, config->digest, SHA256_HEX);
    sha256_hex(&hash, hex);
    snprintf(run, RUN_MAX, "%.12s", hex);
}

void shared_say_loaded(const struct bundle *b)
{
    log_event(LOG_INFO, "model_loaded", "name=%s version=%s digest=%.12s goldens=%zu %s", b->name,
              b->version, b->digest, b->golden_count, model_summary(b->model));
}

int shared_load_bundle(const struct config *config, const char *path, struct bundle **bundle,
                       struct err *err)
{
    struct model_options model = {.rounds = config->rounds};

    if (bundle_load(bundle, path, &model, err) != 0 || golden_events_run(*bundle, err) != 0)
        return err_prefix(err, "[model]");
    return 0;
}

static int load_model(struct shared *s, struct err *err)
{
    s->model_stamp = folder_stamp(s->config->model_path);
    if (shared_load_bundle(s->config, s->config->model_path, &s->bundle, err) != 0)
        return -1;
    shared_say_loaded(s->bundle);
    return 0;
}

static int open_schemas(struct shared *s, struct err *err)
{
    struct schema_source *source;

    if (schemas_open(s->config, &source, err) != 0)
        return -1;
    if (source)
        s->schemas = schema_share_new(source, (unsigned)s->config->workers);
    return 0;
}

static int find_score_schema(struct shared *s, struct err *err)
{
    struct backoff backoff;
    int result;

    backoff_init(&backoff, 0);
    while ((result = schemas_find_score(s->config, &s->score_schema_id, err)) != 0 &&
           err->kind == ERR_DEPENDENCY && !shared_is_stopping(s)) {
        log_event(LOG_WARNING, "waiting", "for=registry %s", err->text);
        err_reset(err);
        backoff_fail(&backoff);
        backoff_sleep(&backoff);
    }
    if (result != 0 && err->kind == ERR_DEPENDENCY) { /* told to stop meanwhile */
        err_reset(err);
        return 0;
    }
    return result;
}

int shared_open(struct shared *s, const struct pipeline_options *options, struct err *err)
{
    *s = (struct shared){
        .options = options, .config = options->config, .replay = options->replay, .failed = -1};
    shared_name_run(s->config, options->build, s->run);
    log_event(LOG_INFO, "starting", "name=%s config=%s run=%s build=%s", s->config->name,
              s->config->file, s->run, options->build);
    if (load_model(s, err) != 0 || alerts_init(&s->alerts, s->config, s->bundle, err) != 0)
        return -1;
    if (open_schemas(s, err) != 0 || find_score_schema(s, err) != 0)
        return err_prefix(err, "[schemas]");
    return 0;
}

void shared_release(struct shared *s)
{
    schema_share_free(s->schemas);
    bundle_free(s->bundle);
}
