// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ortrun::cpu {

// Products of matrices of quantised numbers. Both sides are widened to int16 with their zero points taken off, which
// leaves at most 255 in size; sums are int32 and wrap. Written once over vector width.

/// Columns of b that are packed together.
inline constexpr size_t kIntegerPanel = 16;

/// Length of a row of the left-hand matrix in memory: k, made even. The number beyond k must be 0.
inline constexpr size_t IntegerRowLength(size_t k) { return (k + 1) / 2 * 2; }

/// int16 numbers that PackIntegerColumns writes for a k x n matrix.
inline constexpr size_t PackedIntegerCount(size_t k, size_t n) {
  return (n + kIntegerPanel - 1) / kIntegerPanel * kIntegerPanel * IntegerRowLength(k);
}

/// Packs the k x n matrix b, whose rows are `stride` apart, for MultiplyIntegers. `zero` has a zero point a column when
/// `zero_step` is 1, one for all when it is 0; NULL for none. B is uint8_t, int8_t or int16_t.
template <typename B>
void PackIntegerColumns(const B* b, size_t k, size_t n, size_t stride, const int32_t* zero, size_t zero_step,
                        int16_t* packed) {
  const size_t pairs = IntegerRowLength(k) / 2;
  for (size_t first = 0; first < n; first += kIntegerPanel) {
    for (size_t pair = 0; pair < pairs; ++pair) {
      for (size_t j = first; j < first + kIntegerPanel; ++j) {
        for (size_t row = 2 * pair; row < 2 * pair + 2; ++row) {
          int32_t value = 0;
          if (row < k && j < n) value = int32_t{b[row * stride + j]} - (zero == nullptr ? 0 : zero[j * zero_step]);
          *packed++ = static_cast<int16_t>(value);
        }
      }
    }
  }
}

/// One row of the left-hand matrix: n numbers less their zero point, then 0 up to IntegerRowLength(n).
template <typename A>
void WidenIntegerRow(const A* a, size_t n, int32_t zero, int16_t* row) {
  for (size_t i = 0; i < n; ++i) row[i] = static_cast<int16_t>(int32_t{a[i]} - zero);
  if (n != IntegerRowLength(n)) row[n] = 0;
}

/// c = a b for `rows` rows of a (IntegerRowLength(k) apart) and n packed columns; c's rows are `c_stride` apart.
void MultiplyIntegers(const int16_t* a, size_t rows, const int16_t* packed, size_t k, size_t n, int32_t* c,
                      size_t c_stride);

}  // namespace ortrun::cpu
