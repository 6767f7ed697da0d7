/* Passes over whole pictures (skinscan/pixels.py, colour.py and covers.py). */
#include "native.h"

/* Where a mask, resized by linear interpolation, is larger than a limit.

   mask              rows of at least as many bytes as `column` names, row stride `mask_stride`
   column, right     for each column of the result the two of the mask and the second one's weight
   row, lower        the same for each row
   used              columns of the mask that are looked at
   work              2 · columns items
   larger            `rows` x `columns` bytes, 0 or 1 */
API void mask_resized(const uint8_t *mask, int mask_stride, const int32_t *column,
                      const float *right, const int32_t *row, const float *lower, int rows,
                      int columns, int used, float limit, float *work, uint8_t *larger)
{
    /* The two rows of the mask between which the result lies, resized along themselves. */
    float *held[2] = {work, work + columns};
    int of[2] = {-1, -1}, empty[2] = {0, 0};
    for (int y = 0; y < rows; y++) {
        int at[2];
        for (int n = 0; n < 2; n++) {
            const int source = row[2 * y + n];
            /* Rows come in order: the second of one is often the first of the next. */
            at[n] = of[0] == source ? 0 : of[1] == source ? 1 : -1;
            if (at[n] >= 0)
                continue;
            const int other = row[2 * y + 1 - n];
            at[n] = of[0] == other ? 1 : 0;
            of[at[n]] = source;
            const uint8_t *in = mask + (int64_t)source * mask_stride;
            float *out = held[at[n]];
            empty[at[n]] = !memchr(in, 1, (size_t)used);
            if (empty[at[n]])
                memset(out, 0, sizeof *out * (size_t)columns);
            else
                for (int c = 0; c < columns; c++)
                    out[c] = (float)in[column[2 * c]] * (1.0f - right[c]) +
                             (float)in[column[2 * c + 1]] * right[c];
        }
        uint8_t *out = larger + (int64_t)y * columns;
        if (empty[at[0]] && empty[at[1]]) {
            memset(out, limit < 0.0f, (size_t)columns);
            continue;
        }
        const float *a = held[at[0]], *b = held[at[1]], second = lower[y], first = 1.0f - second;
        for (int c = 0; c < columns; c++)
            out[c] = a[c] * first + b[c] * second > limit;
    }
}

/* Luminance of 8-bit colours: what each code of red, green and blue contributes, in sum.

   codes      `rows` x `columns` x 3, row stride `codes_stride`
   of_code    3 x 256 */
API void luminance(const uint8_t *codes, int codes_stride, int rows, int columns,
                   const float *of_code, float *result)
{
    const float *red = of_code, *green = of_code + 256, *blue = of_code + 512;
    for (int y = 0; y < rows; y++) {
        const uint8_t *in = codes + (int64_t)y * codes_stride;
        float *out = result + (int64_t)y * columns;
        for (int c = 0; c < columns; c++, in += 3)
            out[c] = red[in[0]] + green[in[1]] + blue[in[2]];
    }
}

/* Keep the largest size of a response, and the label of the response that has it.

   response       `rows` x `columns`, row stride `stride`
   best, which    contiguous */
API void keep_largest(const float *response, int stride, int rows, int columns, float label,
                      float *best, float *which)
{
    for (int y = 0; y < rows; y++) {
        const float *in = response + (int64_t)y * stride;
        float *most = best + (int64_t)y * columns, *whose = which + (int64_t)y * columns;
        for (int c = 0; c < columns; c++) {
            const float size = fabsf(in[c]);
            whose[c] = size > most[c] ? label : whose[c];
            most[c] = size > most[c] ? size : most[c];
        }
    }
}
