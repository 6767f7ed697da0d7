/* Linear interpolation of pictures in another size, row by row. */
#ifndef SKINSCAN_LINEAR_H
#define SKINSCAN_LINEAR_H

#include "native.h"

/* The last two rows that were resized along themselves: the next row of the result lies mostly
   between the same ones. */
struct held {
    float *along[2];
    int of[2];
};

/* Where row `source` is held, or is to be put: then `*missing` is set. `other` stays held. */
static inline int held_at(struct held *rows, int source, int other, int *missing)
{
    *missing = 0;
    if (rows->of[0] == source)
        return 0;
    if (rows->of[1] == source)
        return 1;
    *missing = 1;
    const int slot = rows->of[0] == other ? 1 : 0;
    rows->of[slot] = source;
    return slot;
}

/* One row resized along itself, as OpenCV does it: between the two pixels of each column. */
static inline void resize_row(const float *in, const int32_t *column, const float *right,
                              int columns, float *out)
{
    for (int c = 0; c < columns; c++) {
        const float a = in[column[2 * c]], b = in[column[2 * c + 1]];
        out[c] = multiply_add(b - a, right[c], a);
    }
}

/* Both rows of a picture between which one of the result lies, resized along themselves. */
static inline void resize_rows(struct held *rows, const float *picture, int stride,
                               const int32_t pair[2], const int32_t *column, const float *right,
                               int columns, const float *both[2])
{
    for (int n = 0; n < 2; n++) {
        int missing;
        float *along = rows->along[held_at(rows, pair[n], pair[1 - n], &missing)];
        if (missing)
            resize_row(picture + (int64_t)pair[n] * stride, column, right, columns, along);
        both[n] = along;
    }
}

#endif
