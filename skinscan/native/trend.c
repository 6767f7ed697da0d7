/* Robust fits of few terms to many values (skinscan/skinmask.py). */
#include "native.h"

enum { MOST_TERMS = 6 };

/* Sums of a weighted fit: terms by terms, and by values.

   design         `terms` (at most MOST_TERMS) x `values` numbers
   value          what is fitted
   residual, cut  weights are Tukey's: (1 - (residual / cut)²)², 0 beyond the cut
   used           0 for values that have no weight whatever their residual
   normal, right  terms x terms and terms sums */
API void trend_sums(const double *design, int terms, int64_t values, const double *value,
                    const double *residual, double cut, const uint8_t *used, double *normal,
                    double *right)
{
    enum { SIDE = 4 };
    double sums[MOST_TERMS][MOST_TERMS][SIDE] = {{{0}}}, with[MOST_TERMS][SIDE] = {{0}};
    for (int64_t k = 0; k < values; k += SIDE) {
        double weight[SIDE] = {0};
        const int here = values - k < SIDE ? (int)(values - k) : SIDE;
        for (int n = 0; n < here; n++) {
            const double scaled = residual[k + n] / cut, left = 1.0 - scaled * scaled;
            weight[n] = used[k + n] && left > 0.0 ? left * left : 0.0;
        }
        for (int i = 0; i < terms; i++) {
            const double *a = design + i * values + k;
            double weighted[SIDE] = {0};
            for (int n = 0; n < here; n++)
                weighted[n] = weight[n] * a[n];
            for (int j = i; j < terms; j++) {
                const double *b = design + j * values + k;
                for (int n = 0; n < here; n++)
                    sums[i][j][n] += weighted[n] * b[n];
            }
            for (int n = 0; n < here; n++)
                with[i][n] += weighted[n] * value[k + n];
        }
    }
    for (int i = 0; i < terms; i++) {
        for (int j = i; j < terms; j++)
            normal[i * terms + j] = normal[j * terms + i] =
                (sums[i][j][0] + sums[i][j][1]) + (sums[i][j][2] + sums[i][j][3]);
        right[i] = (with[i][0] + with[i][1]) + (with[i][2] + with[i][3]);
    }
}

/* What a fit leaves: value less the sum of its terms. */
API void trend_residual(const double *design, int terms, int64_t values, const double *value,
                        const double *fitted, double *residual)
{
    for (int64_t k = 0; k < values; k++) {
        double sum = 0.0;
        for (int i = 0; i < terms; i++)
            sum += fitted[i] * design[i * values + k];
        residual[k] = value[k] - sum;
    }
}
