// SPDX-License-Identifier: Apache-2.0
#include "plugins/cpu/kernels/common/broadcast.h"

#include <algorithm>
#include <string>

namespace ortrun::cpu {
namespace {

std::string ShapeText(std::span<const int64_t> shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace

Shape BroadcastShape(std::span<const int64_t> a, std::span<const int64_t> b) {
  const size_t rank = std::max(a.size(), b.size());
  Shape shape;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t left = i + a.size() < rank ? 1 : a[i + a.size() - rank];
    const int64_t right = i + b.size() < rank ? 1 : b[i + b.size() - rank];
    Require(left == right || left == 1 || right == 1, "shapes ", ShapeText(a), " and ", ShapeText(b),
            " do not broadcast: ", left, " against ", right);
    shape.Append(left == 1 ? right : left);
  }
  return shape;
}

BroadcastLoop::BroadcastLoop(std::initializer_list<std::span<const int64_t>> shapes) {
  std::array<std::span<const int64_t>, kMaxOperands> operand;
  for (const auto& shape : shapes) {
    shape_ = operands_ == 0 ? Shape(shape) : BroadcastShape(shape_.dims(), shape);
    operand[operands_++] = shape;
  }
  // Strides of each operand over the axes of the output, innermost first.
  const size_t rank = shape_.rank();
  std::array<size_t, kMaxOperands> next{1, 1, 1};
  size_t merged = 0;  // axes kept so far, innermost first, in dims_ and strides_
  for (size_t axis = rank; axis-- > 0;) {
    const auto extent = static_cast<size_t>(shape_[axis]);
    std::array<size_t, kMaxOperands> stride{};
    for (size_t i = 0; i < operands_; ++i) {
      const size_t missing = rank - operand[i].size();
      const auto own = axis < missing ? size_t{1} : static_cast<size_t>(operand[i][axis - missing]);
      stride[i] = own == 1 && extent != 1 ? 0 : next[i];
      next[i] *= own;
    }
    if (extent == 1) continue;
    bool continues = merged > 0;
    for (size_t i = 0; i < operands_ && continues; ++i)
      continues = stride[i] == strides_[i][merged - 1] * dims_[merged - 1];
    if (continues) {
      dims_[merged - 1] *= extent;
      continue;
    }
    for (size_t i = 0; i < operands_; ++i) strides_[i][merged] = stride[i];
    dims_[merged++] = extent;
  }
  if (merged == 0) return;  // one element: a run of one, every step 0
  run_ = dims_[0];
  for (size_t i = 0; i < operands_; ++i) step_[i] = strides_[i][0] != 0;
  outer_rank_ = merged - 1;
  for (size_t axis = 1; axis < merged; ++axis) runs_ *= dims_[axis];
  // Outer axes in the usual order, outermost first.
  std::reverse(dims_.begin() + 1, dims_.begin() + static_cast<std::ptrdiff_t>(merged));
  std::shift_left(dims_.begin(), dims_.begin() + static_cast<std::ptrdiff_t>(merged), 1);
  for (size_t i = 0; i < operands_; ++i) {
    auto& strides = strides_[i];
    std::reverse(strides.begin() + 1, strides.begin() + static_cast<std::ptrdiff_t>(merged));
    std::shift_left(strides.begin(), strides.begin() + static_cast<std::ptrdiff_t>(merged), 1);
  }
}

BroadcastLoop::Offsets BroadcastLoop::Start(size_t run_index, std::array<size_t, Shape::kMaxRank>& at) const {
  Offsets offsets{};
  for (size_t axis = outer_rank_; axis-- > 0;) {
    at[axis] = run_index % dims_[axis];
    run_index /= dims_[axis];
    for (size_t i = 0; i < operands_; ++i) offsets[i] += at[axis] * strides_[i][axis];
  }
  return offsets;
}

}  // namespace ortrun::cpu
