/* Robust fits of few terms to many values (skinscan/skinmask.py). */
#include "native.h"

enum { MOST_TERMS = 6 };

/* Numbers that are summed side by side. */
enum { SIDE = 4 };

struct sums {
    double normal[MOST_TERMS][MOST_TERMS][SIDE], right[MOST_TERMS][SIDE];
};

static inline void add_to_sums(struct sums *sums, const double *design, int terms, int64_t values,
                               const double *value, const double *residual, double cut,
                               const uint8_t *used, int64_t at, int count)
{
    double weight[SIDE];
    for (int n = 0; n < count; n++) {
        const double scaled = residual[at + n] / cut, left = 1.0 - scaled * scaled;
        weight[n] = used[at + n] != 0 && left > 0.0 ? left * left : 0.0;
    }
    for (int i = 0; i < terms; i++) {
        const double *a = design + i * values + at;
        double weighted[SIDE];
        for (int n = 0; n < count; n++)
            weighted[n] = weight[n] * a[n];
        for (int j = i; j < terms; j++) {
            const double *b = design + j * values + at;
            for (int n = 0; n < count; n++)
                sums->normal[i][j][n] += weighted[n] * b[n];
        }
        for (int n = 0; n < count; n++)
            sums->right[i][n] += weighted[n] * value[at + n];
    }
}

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
    struct sums sums;
    memset(&sums, 0, sizeof sums);
    int64_t k = 0;
    for (; k + SIDE <= values; k += SIDE)
        add_to_sums(&sums, design, terms, values, value, residual, cut, used, k, SIDE);
    for (; k < values; k++)
        add_to_sums(&sums, design, terms, values, value, residual, cut, used, k, 1);
    for (int i = 0; i < terms; i++) {
        for (int j = i; j < terms; j++) {
            const double *part = sums.normal[i][j];
            const double sum = (part[0] + part[1]) + (part[2] + part[3]);
            normal[i * terms + j] = normal[j * terms + i] = sum;
        }
        right[i] = (sums.right[i][0] + sums.right[i][1]) + (sums.right[i][2] + sums.right[i][3]);
    }
}

/* What a fit leaves: value less the sum of its terms. */
API void trend_residual(const double *design, int terms, int64_t values, const double *value,
                        const double *fitted, double *residual)
{
    for (int64_t k = 0; k < values; k++)
        residual[k] = fitted[0] * design[k];
    for (int i = 1; i < terms; i++)
        for (int64_t k = 0; k < values; k++)
            residual[k] += fitted[i] * design[i * values + k];
    for (int64_t k = 0; k < values; k++)
        residual[k] = value[k] - residual[k];
}
