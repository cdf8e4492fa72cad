// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ortrun::cpu {

// Rows of neighbouring elements between float or int32 and 8 bits, written once over vector width. T is uint8_t or
// int8_t.

/// y[i] = (x[i] - zero_point) * scale.
template <typename T>
void DequantizeRow(const T* x, int32_t zero_point, float scale, float* y, size_t n);

/// y[i] = saturate(round to even(x[i] / scale) + zero_point).
template <typename T>
void QuantizeRow(const float* x, float scale, int32_t zero_point, T* y, size_t n);

/// y[i] = saturate(round to even(x[i] * factor[i]) + zero_point); one factor for all when `step` is 0, else n of them.
template <typename T>
void RequantizeRow(const int32_t* x, const float* factor, size_t step, int32_t zero_point, T* y, size_t n);

}  // namespace ortrun::cpu
