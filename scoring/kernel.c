#include "scoring/kernel.h"

#include <string.h>

struct choice {
    const char *name;
    const struct kernel *kernel; /* NULL: not for this kind of processor */
    bool (*runs)(void);
};

static bool runs_always(void)
{
    return true;
}

#ifdef __x86_64__
/* With BMI1, which came with it. */
static bool runs_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

static bool runs_avx512(void)
{
    return runs_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi");
}

#define AVX2 &kernel_avx2
#define AVX512 &kernel_avx512
#else
#define AVX2 NULL
#define AVX512 NULL
#define runs_avx2 runs_always
#define runs_avx512 runs_always
#endif

static const struct choice choices[] = {
    {"avx512", AVX512, runs_avx512},
    {"avx2", AVX2, runs_avx2},
    {"portable", &kernel_portable, runs_always},
};

static bool is_there(const struct choice *c)
{
    return c->kernel && c->runs();
}

const struct kernel *kernel_at(size_t index)
{
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++)
        if (is_there(&choices[i]) && index-- == 0)
            return choices[i].kernel;
    return NULL;
}

const struct kernel *kernel_find(const char *name, struct err *err)
{
    if (!name)
        return kernel_at(0);
    for (size_t i = 0; i < sizeof choices / sizeof choices[0]; i++) {
        if (strcmp(choices[i].name, name) != 0)
            continue;
        if (is_there(&choices[i]))
            return choices[i].kernel;
        err_fatal(err, EXIT_CONFIGURATION, "KSCORE_SIMD=%s: this processor does not have it", name);
        return NULL;
    }
    err_fatal(err, EXIT_CONFIGURATION, "KSCORE_SIMD=%s: must be avx512, avx2 or portable", name);
    return NULL;
}
