#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/library.h"

/* The C interface is one table of functions, which only ever grows at its end: with the places of
 * these (include/onnxruntime/core/session/onnxruntime_c_api.h, struct OrtApi) no header is needed.
 * A place that were wrong would show: the scores are held against kscore's. What returns a pointer
 * returns a status, NULL when all is well. */
struct api {
    void *places_0[2];
    const char *(*error_message)(const void *status);
    void *(*create_env)(int level, const char *name, void **env);
    void *places_4[3];
    void *(*create_session)(void *env, const char *path, void *options, void **session);
    void *places_8[1];
    void *(*run)(void *session, void *options, const char *const *inputs, void *const *in,
                 size_t in_count, const char *const *outputs, size_t out_count, void **out);
    void *(*create_options)(void **options);
    void *places_11[13];
    void *(*set_intra_op_threads)(void *options, int count);
    void *(*set_inter_op_threads)(void *options, int count);
    void *places_26[10];
    void *(*input_name)(void *session, size_t index, void *allocator, char **name);
    void *(*output_name)(void *session, size_t index, void *allocator, char **name);
    void *places_38[11];
    void *(*create_tensor)(void *memory, void *data, size_t size_bytes, const int64_t *shape,
                           size_t rank, int type, void **value);
    void *places_50[1];
    void *(*tensor_data)(void *value, void **data);
    void *places_52[17];
    void *(*create_cpu_memory)(int allocator, int kind, void **memory);
    void *places_70[6];
    void *(*allocator_free)(void *allocator, void *memory);
    void *places_77[1];
    void *(*default_allocator)(void **allocator);
    void *places_79[13];
    void (*release_env)(void *env);
    void *places_93[1];
    void (*release_memory)(void *memory);
    void (*release_session)(void *session);
    void (*release_value)(void *value);
    void *places_97[3];
    void (*release_options)(void *options);
};

struct base {
    const struct api *(*api)(uint32_t version);
    const char *(*version)(void);
};

enum { API_VERSION = 1, WARNING = 2, FLOAT = 1, DEVICE_ALLOCATOR = 0, DEFAULT_MEMORY = 0 };

struct onnx {
    void *library;
    const struct api *api;
    void *env, *options, *session, *memory, *allocator;
    char *input, *output;
};

static void must(const struct onnx *o, void *status)
{
    if (!status)
        return;
    fprintf(stderr, "bench_forest: ONNX Runtime: %s\n", o->api->error_message(status));
    exit(1);
}

static void onnx_score(void *handle, const float *rows, size_t count, size_t width, double *margins)
{
    const struct onnx *o = handle;
    const char *inputs[] = {o->input}, *outputs[] = {o->output};
    int64_t shape[] = {(int64_t)count, (int64_t)width};
    void *input = NULL, *output = NULL, *result;

    must(o, o->api->create_tensor(o->memory, (void *)rows, count * width * sizeof *rows, shape, 2,
                                  FLOAT, &input));
    must(o, o->api->run(o->session, NULL, inputs, &input, 1, outputs, 1, &output));
    must(o, o->api->tensor_data(output, &result));
    for (size_t i = 0; i < count; i++)
        margins[i] = (double)((const float *)result)[i];
    o->api->release_value(output);
    o->api->release_value(input);
}

static void onnx_close(void *handle)
{
    struct onnx *o = handle;

    must(o, o->api->allocator_free(o->allocator, o->input));
    must(o, o->api->allocator_free(o->allocator, o->output));
    o->api->release_session(o->session);
    o->api->release_options(o->options);
    o->api->release_memory(o->memory);
    o->api->release_env(o->env);
    free(o); /* the library stays: it does not like to be unloaded */
}

struct library library_onnx(const char *path)
{
    struct library result = {"ONNX Runtime", .score = onnx_score, .close = onnx_close};
    const char *file = getenv("ONNXRUNTIME_LIBRARY");
    struct onnx *o = calloc(1, sizeof *o);
    const struct base *(*base)(void) = NULL;

    if (!o || !(o->library = dlopen(file ? file : "libonnxruntime.so.1", RTLD_NOW))) {
        free(o);
        return result;
    }
    *(void **)&base = dlsym(o->library, "OrtGetApiBase");
    if (!base || !(o->api = base()->api(API_VERSION))) {
        fprintf(stderr, "bench_forest: ONNX Runtime: not its C interface\n");
        exit(1);
    }
    snprintf(result.name, sizeof result.name, "ONNX Runtime %s", base()->version());
    must(o, o->api->create_env(WARNING, "bench", &o->env));
    must(o, o->api->create_options(&o->options));
    must(o, o->api->set_intra_op_threads(o->options, 1));
    must(o, o->api->set_inter_op_threads(o->options, 1));
    must(o, o->api->create_session(o->env, path, o->options, &o->session));
    must(o, o->api->create_cpu_memory(DEVICE_ALLOCATOR, DEFAULT_MEMORY, &o->memory));
    must(o, o->api->default_allocator(&o->allocator));
    must(o, o->api->input_name(o->session, 0, o->allocator, &o->input));
    must(o, o->api->output_name(o->session, 0, o->allocator, &o->output));
    result.handle = o;
    return result;
}
