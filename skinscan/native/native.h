/* Shared by all loops. Plain C11 without Python: arrays come as pointers, windows of larger arrays
   with the stride of their rows in items. No allocation that can fail silently, no state. */
#ifndef SKINSCAN_NATIVE_H
#define SKINSCAN_NATIVE_H

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define API __attribute__((visibility("default")))

#endif
