// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ortrun/kernel_context.h"

namespace ortrun::cpu {

/// Steps through the element offsets of some of a tensor's dimensions, last one fastest. Allocates nothing.
class OffsetWalk {
 public:
  void Append(int64_t dim, int64_t stride) {
    dims_[rank_] = dim;
    strides_[rank_++] = stride;
  }
  int64_t Count() const {
    int64_t count = 1;
    for (size_t i = 0; i < rank_; ++i) count *= dims_[i];
    return count;
  }
  /// Whether neighbouring offsets all have the same distance, stride().
  bool IsEven() const { return rank_ <= 1; }
  int64_t stride() const { return rank_ == 0 ? 0 : strides_[rank_ - 1]; }
  /// Places the walk at its `index`-th offset.
  void Seek(int64_t index) {
    offset_ = 0;
    for (size_t i = rank_; i-- > 0;) {
      at_[i] = index % dims_[i];
      index /= dims_[i];
      offset_ += at_[i] * strides_[i];
    }
  }
  int64_t offset() const { return offset_; }
  void Next() {
    for (size_t i = rank_; i-- > 0;) {
      offset_ += strides_[i];
      if (++at_[i] < dims_[i]) return;
      offset_ -= strides_[i] * dims_[i];
      at_[i] = 0;
    }
  }

 private:
  std::array<int64_t, Shape::kMaxRank> dims_{};
  std::array<int64_t, Shape::kMaxRank> strides_{};
  std::array<int64_t, Shape::kMaxRank> at_{};
  size_t rank_ = 0;
  int64_t offset_ = 0;
};

/// How a reduction walks its input after neighbouring axes of one kind are merged. The innermost merged axis is a run
/// of `run` neighbouring elements that fold into one output (run > 1 or inner == 1), or of `inner` elements that each
/// belong to an output of their own.
struct ReductionLayout {
  Shape output;         ///< with or without the reduced axes, as asked
  OffsetWalk kept;      ///< offsets of the outputs, `inner` not included
  OffsetWalk reduced;   ///< offsets that fold into one output, `run` not included
  int64_t run = 1;      ///< neighbouring elements that fold together
  int64_t inner = 1;    ///< neighbouring elements that are kept
  int64_t folded = 1;   ///< elements of the input in one output
  int64_t outputs = 1;  ///< elements of the output
};

/// `axes` may be negative; repeated or outside ones are refused. `axes` names what is reduced.
ReductionLayout MakeReductionLayout(const Shape& input, std::span<const int64_t> axes, bool keep_dims);

}  // namespace ortrun::cpu
