// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "plugins/cpu/kernels/image/resize_axis.h"

namespace ortrun::cpu {

/// Resizes one row along its first dimension: y[i, c] = sum over taps of weight * x[index, c], for i in [0, taps.out)
/// and c in [0, inner). Does not look at `taps.outside`.
void ResampleRow(const float* x, const AxisTaps<float>& taps, size_t inner, float* y);
void ResampleRow(const double* x, const AxisTaps<double>& taps, size_t inner, double* y);

/// y[i] = sum over k of weights[k * stride] * rows[k][i], for i in [0, n).
void BlendRows(const float* const* rows, const float* weights, size_t stride, size_t count, float* y, size_t n);
void BlendRows(const double* const* rows, const double* weights, size_t stride, size_t count, double* y, size_t n);

/// Each element twice and each row `copies` times: y[r * copies + j, 2 i] = y[r * copies + j, 2 i + 1] = x[r, i] for i
/// in [0, n) and j in [0, copies).
void DoubleRows(const float* x, float* y, size_t rows, size_t n, size_t copies);

}  // namespace ortrun::cpu
