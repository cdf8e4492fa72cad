// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ortrun::cpu {

/// y[i] = exp(x[i] - max(x)) / sum, over one row of n > 0 neighbouring elements; x may be y.
void SoftmaxRow(const float* x, float* y, size_t n);

/// y[i] = x[i] - max(x) - log(sum), over one row of n > 0 neighbouring elements; x may be y.
void LogSoftmaxRow(const float* x, float* y, size_t n);

/// The pieces of a softmax whose rows lie `n` columns side by side: y = exp(x - largest), sum += y.
void ExpColumns(const float* x, const float* largest, float* y, float* sum, size_t n);

/// y[i] *= factor[i].
void ScaleColumns(const float* factor, float* y, size_t n);

struct RowStatistics {
  float mean;         ///< 0 when the row is not centred
  float mean_rest;    ///< what the mean is more than `mean`, which is rounded
  float inverse_std;  ///< 1 / sqrt(variance + epsilon), or of the mean square when not centred
};

/// y = (x - mean) * inverse_std * scale + bias. `centred` is false for the root-mean-square form, whose mean is 0.
/// scale and bias (n numbers each) may be NULL. x may be y.
RowStatistics NormalizeRow(const float* x, const float* scale, const float* bias, bool centred, float epsilon, float* y,
                           size_t n);

/// The statistics by which NormalizeRow would normalise the centred row. The mean of a row of one value is that value.
RowStatistics MeasureRow(const float* x, float epsilon, size_t n);

/// sum = x + skip (+ bias, when not NULL); `sum` may be any of them.
void AddRows(const float* x, const float* skip, const float* bias, float* sum, size_t n);

/// y[i] = (x[i] - centre) * factor + offset; x may be y. The centre is subtracted first: a row whose elements are all
/// its mean becomes the offset, however large they are.
void AffineRow(const float* x, float centre, float factor, float offset, float* y, size_t n);

/// The same with a centre, a factor and an offset for each element.
void AffineColumns(const float* x, const float* centre, const float* factor, const float* offset, float* y, size_t n);

}  // namespace ortrun::cpu
