// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "ortrun/kernel_context.h"
#include "plugins/cpu/kernels/nn/fused_activation.h"

namespace ortrun::cpu {

/// One side of a product as it lies in memory: row-major with `stride` elements from row to row; `transposed` means
/// that the memory holds the transpose of the matrix.
struct MatrixView {
  const float* data;
  size_t stride;
  bool transposed;
};

/// c = alpha * a b + beta * c on the calling thread; c is m x n with `c_stride` from row to row.
void Multiply(size_t m, size_t n, size_t k, float alpha, const MatrixView& a, const MatrixView& b, float beta, float* c,
              size_t c_stride);
void Multiply(size_t m, size_t n, size_t k, double alpha, const double* a, size_t a_stride, bool a_transposed,
              const double* b, size_t b_stride, bool b_transposed, double beta, double* c, size_t c_stride);

/// What happens to a block of the product while it is in the cache:
/// y = act(product + bias [+ residual]) [+ residual].
struct ProductEpilogue {
  const float* column_bias = nullptr;  ///< n values, added to each row
  const float* row_bias = nullptr;     ///< m values, added to each column
  bool residual_after = true;
  FusedActivation activation;

  /// Finishes rows [0, rows) x columns [0, columns) of `c`; the biases already point to the block's own values and
  /// `residual`, when not NULL, lies as `c` does.
  void Apply(float* c, size_t stride, size_t rows, size_t columns, const float* residual) const;
  bool empty() const { return column_bias == nullptr && row_bias == nullptr && activation.loop == nullptr; }
};

/// Products of `batches` pairs of matrices, on several threads. The pair of a batch is given by
/// place(batch, &a, &b): offsets in elements from a.data and b.data. c and the residual (NULL for none) are dense,
/// m x n a batch.
class BatchedProduct {
 public:
  size_t batches = 1;
  size_t m = 0;
  size_t n = 0;
  size_t k = 0;
  float alpha = 1;
  float beta = 0;  ///< c's old content counts beta-fold
  MatrixView a{};
  MatrixView b{};
  float* c = nullptr;
  const float* residual = nullptr;
  ProductEpilogue epilogue;

  template <typename Place>
  void Run(const KernelContext& context, const Place& place) const {
    if (batches == 0 || m == 0 || n == 0) return;
    const size_t parts = Parts(context.Concurrency());
    const bool by_columns = n >= m;
    context.ParallelFor(batches * parts, [&](size_t task) {
      const size_t batch = task / parts;
      const size_t part = task % parts;
      size_t a_offset = 0;
      size_t b_offset = 0;
      place(batch, a_offset, b_offset);
      if (by_columns)
        RunBlock(batch, a_offset, b_offset, 0, m, Cut(n, part, parts), Cut(n, part + 1, parts));
      else
        RunBlock(batch, a_offset, b_offset, Cut(m, part, parts), Cut(m, part + 1, parts), 0, n);
    });
  }

 private:
  /// Into how many pieces each matrix is cut so that all threads have work worth their start.
  size_t Parts(size_t threads) const;
  static size_t Cut(size_t size, size_t part, size_t parts);
  void RunBlock(size_t batch, size_t a_offset, size_t b_offset, size_t row, size_t last_row, size_t column,
                size_t last_column) const;
};

}  // namespace ortrun::cpu
