// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/reduction/reduction_layout.h"

namespace ortrun::cpu {

ReductionLayout MakeReductionLayout(const Shape& input, std::span<const int64_t> axes, bool keep_dims) {
  std::array<bool, Shape::kMaxRank> is_reduced{};
  for (int64_t axis : axes) is_reduced[NormalizeAxis(axis, input.rank())] = true;

  ReductionLayout layout;
  std::array<int64_t, Shape::kMaxRank> dims{};
  std::array<bool, Shape::kMaxRank> folds{};
  size_t rank = 0;
  for (size_t i = 0; i < input.rank(); ++i) {
    if (!is_reduced[i])
      layout.output.Append(input[i]);
    else if (keep_dims)
      layout.output.Append(1);
    if (input[i] == 1) continue;
    if (rank != 0 && folds[rank - 1] == is_reduced[i]) {
      dims[rank - 1] *= input[i];
    } else {
      dims[rank] = input[i];
      folds[rank++] = is_reduced[i];
    }
  }
  int64_t stride = 1;
  std::array<int64_t, Shape::kMaxRank> strides{};
  for (size_t i = rank; i-- > 0;) {
    strides[i] = stride;
    stride *= dims[i];
    (folds[i] ? layout.folded : layout.outputs) *= dims[i];
  }
  if (rank != 0) {
    --rank;
    (folds[rank] ? layout.run : layout.inner) = dims[rank];
  }
  for (size_t i = 0; i < rank; ++i) (folds[i] ? layout.reduced : layout.kept).Append(dims[i], strides[i]);
  return layout;
}

}  // namespace ortrun::cpu
