// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "plugins/cpu/kernels/common/broadcast.h"

namespace ortrun::cpu {

/// numpy's matmul: the last two axes are matrices, those before broadcast.
struct MatMulShape {
  Shape output;
  size_t m = 1;
  size_t n = 1;
  size_t k = 1;
  size_t batches = 1;
  /// Which matrix of a and of b each batch of the output uses; empty where it is the batch's own index.
  std::vector<size_t> a_index;
  std::vector<size_t> b_index;
  /// Whether all batches can be computed as one product: b is one matrix and a's matrices lie behind each other.
  bool b_is_single = false;

  MatMulShape(const Tensor& a, bool a_transposed, const Tensor& b, bool b_transposed)
      : MatMulShape(a.dims(), a_transposed, b.dims(), b_transposed) {}
  MatMulShape(std::span<const int64_t> a, bool a_transposed, std::span<const int64_t> b, bool b_transposed);

  size_t a_matrix(size_t batch) const { return a_index.empty() ? batch : a_index[batch]; }
  size_t b_matrix(size_t batch) const { return b_is_single ? 0 : b_index.empty() ? batch : b_index[batch]; }
};

inline MatMulShape::MatMulShape(std::span<const int64_t> a, bool a_transposed, std::span<const int64_t> b,
                                bool b_transposed) {
  Require(!a.empty() && !b.empty(), "a matrix product needs inputs of rank 1 or more");
  const bool a_vector = a.size() == 1;
  const bool b_vector = b.size() == 1;
  const auto side = [](std::span<const int64_t> x, size_t from_end) {
    return static_cast<size_t>(x[x.size() - from_end]);
  };
  // A vector on the left is a row, on the right a column; transposing it changes nothing.
  const bool a_swap = a_transposed && !a_vector;
  const bool b_swap = b_transposed && !b_vector;
  m = a_vector ? 1 : side(a, a_swap ? 1 : 2);
  k = side(a, a_swap ? 2 : 1);
  const size_t b_rows = b_vector ? side(b, 1) : side(b, b_swap ? 1 : 2);
  n = b_vector ? 1 : side(b, b_swap ? 2 : 1);
  Require(k == b_rows, "the inner dimensions of a matrix product differ: ", k, " and ", b_rows);
  const auto a_batch = a.first(a_vector ? 0 : a.size() - 2);
  const auto b_batch = b.first(b_vector ? 0 : b.size() - 2);
  const Shape a_shape(a_batch);
  const Shape b_shape(b_batch);
  output = BroadcastShape(a_batch, b_batch);
  batches = static_cast<size_t>(output.Count());
  b_is_single = b_shape.Count() == 1;
  if (!b_is_single && !(a_shape == b_shape)) {
    a_index.resize(batches);
    b_index.resize(batches);
    const size_t rank = output.rank();
    for (size_t i = 0; i < batches; ++i) {
      size_t rest = i;
      size_t a_step = 1;
      size_t b_step = 1;
      for (size_t axis = rank; axis-- > 0;) {
        const auto extent = static_cast<size_t>(output[axis]);
        const size_t at = rest % extent;
        rest /= extent;
        const size_t a_missing = rank - a_shape.rank();
        const size_t b_missing = rank - b_shape.rank();
        const auto a_extent = axis < a_missing ? size_t{1} : static_cast<size_t>(a_shape[axis - a_missing]);
        const auto b_extent = axis < b_missing ? size_t{1} : static_cast<size_t>(b_shape[axis - b_missing]);
        if (a_extent != 1) a_index[i] += at * a_step;
        if (b_extent != 1) b_index[i] += at * b_step;
        a_step *= a_extent;
        b_step *= b_extent;
      }
    }
  }
  if (!a_vector) output.Append(static_cast<int64_t>(m));
  if (!b_vector) output.Append(static_cast<int64_t>(n));
  // a's batch axes may be shorter than the output's only by ones, so its matrices keep their order.
  if (b_is_single && !a_swap && static_cast<size_t>(a_shape.Count()) == batches) {
    m *= batches;
    batches = 1;
  }
}

}  // namespace ortrun::cpu
