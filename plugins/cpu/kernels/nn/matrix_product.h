// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace ortrun::cpu {

// General products on the calling thread through the BLAS, for what has no inner loop of its own here.

/// One side of a product as it lies in memory: row-major with `stride` elements from row to row; `transposed` means
/// that the memory holds the transpose of the matrix.
template <typename T>
struct MatrixView {
  const T* data;
  size_t stride;
  bool transposed;
};

/// c = alpha * a b + beta * c; c is m x n with `c_stride` from row to row. Throws for sizes beyond 2^31.
void Multiply(size_t m, size_t n, size_t k, float alpha, const MatrixView<float>& a, const MatrixView<float>& b,
              float beta, float* c, size_t c_stride);
void Multiply(size_t m, size_t n, size_t k, double alpha, const MatrixView<double>& a, const MatrixView<double>& b,
              double beta, double* c, size_t c_stride);

}  // namespace ortrun::cpu
