#include "pipeline/loaded.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "pipeline/columns.h"
#include "pipeline/golden_events.h"

static int load_bare(struct loaded *l, const char *path, const struct model_options *options,
                     struct err *err)
{
    const char *name = strrchr(path, '/');

    if (strcmp(name ? name + 1 : path, "model.ini") == 0)
        return err_fatal(err, EXIT_USAGE, "%s: a bundle is given as its folder", path);
    if (model_load(&l->model, path, options, err) != 0)
        return -1;
    columns_of_model(&l->own, l->model);
    l->features = &l->own;
    return 0;
}

int loaded_load(struct loaded *l, const char *path, const struct model_options *options,
                struct err *err)
{
    struct stat info;

    *l = (struct loaded){0};
    if (stat(path, &info) != 0)
        return err_fatal(err, EXIT_IO, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return load_bare(l, path, options, err);
    if (bundle_load(&l->bundle, path, options, err) != 0)
        return -1;
    l->model = l->bundle->model;
    l->features = &l->bundle->features;
    if (golden_events_run(l->bundle, err) == 0)
        return 0;
    loaded_release(l);
    return -1;
}

void loaded_release(struct loaded *l)
{
    if (l->bundle)
        bundle_free(l->bundle);
    else
        model_free(l->model);
    features_release(&l->own);
    *l = (struct loaded){0};
}
