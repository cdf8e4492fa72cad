// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstddef>

namespace ortrun::cpu {

/// As RowStatistics.
struct DoubleStatistics {
  double mean;         ///< 0 when the row is not centred
  double mean_rest;    ///< 0
  double inverse_std;  ///< 1 / sqrt(variance + epsilon), or of the mean square when not centred
};

/// The double form of MeasureRow: the mean of a row of one value is that value.
inline DoubleStatistics MeasureDoubles(const double* x, bool centred, double epsilon, size_t n) {
  const auto count = static_cast<double>(n);
  double mean = 0;
  if (centred) {
    for (size_t i = 0; i < n; ++i) mean += x[i] - x[0];
    mean = x[0] + mean / count;
  }
  double squares = 0;
  for (size_t i = 0; i < n; ++i) squares += (x[i] - mean) * (x[i] - mean);
  return {mean, 0, 1 / std::sqrt(squares / count + epsilon)};
}

}  // namespace ortrun::cpu
