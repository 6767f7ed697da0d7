/* Shared by all loops. Plain C11 without Python: arrays come as pointers, windows of larger arrays
   with the stride of their rows in items. No allocation that can fail silently, no state. */
#ifndef SKINSCAN_NATIVE_H
#define SKINSCAN_NATIVE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

/* a·b + c rounded as OpenCV's own loops do it: once where the processor can, twice elsewhere. */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
static inline float multiply_add(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
static inline float multiply_add(float a, float b, float c) { return a * b + c; }
#endif

#define API __attribute__((visibility("default")))

/* Numbers that are worked on side by side: those of one register. */
#ifdef __AVX__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif

typedef float lanes __attribute__((vector_size(4 * LANES)));
typedef int32_t whole_lanes __attribute__((vector_size(4 * LANES)));

static inline lanes load(const float *from)
{
    lanes found;
    memcpy(&found, from, sizeof found);
    return found;
}

/* The first where all bits are set, the second where none is. */
static inline lanes chosen(whole_lanes which, lanes a, lanes b)
{
    return (lanes)((which & (whole_lanes)a) | (~which & (whole_lanes)b));
}

static inline lanes lanes_multiply_add(lanes a, lanes b, lanes c)
{
#if defined(__FMA__) && defined(__AVX__)
    return (lanes)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
    lanes sum;
    for (int n = 0; n < LANES; n++)
        sum[n] = multiply_add(a[n], b[n], c[n]);
    return sum;
#endif
}

static inline lanes all_of(float v)
{
#ifdef __AVX__
    return (lanes){v, v, v, v, v, v, v, v};
#else
    return (lanes){v, v, v, v};
#endif
}

static inline void store(float *to, lanes values) { memcpy(to, &values, sizeof values); }

#endif
