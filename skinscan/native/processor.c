/* Which of the builds this processor can run, and what they were made from. */
#include "native.h"

API const char *sources_digest(void) { return SOURCES; }

API int processor_has_avx2(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#else
    return 0;
#endif
}
