/* Shared by all loops. Plain C11 without Python: arrays come as pointers, windows of larger arrays
   with the stride of their rows in items. No allocation that can fail silently, no state. */
#ifndef SKINSCAN_NATIVE_H
#define SKINSCAN_NATIVE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* a·b + c rounded as OpenCV's own loops do it: once where the processor can, twice elsewhere. */
#ifdef __FMA__
static inline float multiply_add(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
#else
static inline float multiply_add(float a, float b, float c) { return a * b + c; }
#endif

#define API __attribute__((visibility("default")))

#endif
