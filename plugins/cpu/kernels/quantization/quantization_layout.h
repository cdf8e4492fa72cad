// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "ortrun/kernel_context.h"

namespace ortrun::cpu {

/// Which scale belongs to which element: one for the whole tensor, one for each index of an axis, or one for each block
/// of an axis. The tensor is seen as rows of neighbouring elements that share a scale, or have neighbouring ones.
class QuantizationLayout {
 public:
  /// Throws when the scale's shape is none of the three. `block_size` is the attribute, 0 when absent.
  QuantizationLayout(const Tensor& x, const Tensor& scale, int64_t axis, int64_t block_size);

  struct Row {
    size_t begin;  ///< first element
    size_t length;
    size_t scale;  ///< index of its scale
    size_t step;   ///< 0: the scale holds for the row; 1: each element has the next one
  };

  /// Calls body(row) for all rows, on several threads when there are more than `grain` elements.
  template <typename Body>
  void ForEachRow(const KernelContext& context, size_t grain, const Body& body) const {
    if (rows_ == 1) {  // as per tensor: cut the row itself
      const Row whole = RowAt(0);
      context.ParallelRange(whole.length, grain, [&](size_t begin, size_t end) {
        body(Row{begin, end - begin, whole.scale + begin * whole.step, whole.step});
      });
      return;
    }
    context.ParallelRange(rows_, std::max<size_t>(1, grain / std::max<size_t>(1, longest_)),
                          [&](size_t begin, size_t end) {
                            for (size_t i = begin; i < end; ++i) body(RowAt(i));
                          });
  }

 private:
  Row RowAt(size_t row) const;

  size_t outer_ = 1;   ///< product of the axes in front of the quantised one
  size_t extent_ = 1;  ///< of the quantised axis
  size_t inner_ = 1;
  size_t block_ = 1;   ///< elements of the axis that share a scale
  size_t blocks_ = 1;  ///< scales along the axis
  bool blocked_ = false;
  bool per_tensor_ = true;
  size_t rows_ = 1;
  size_t longest_ = 1;
};

/// The scales of a tensor of any floating-point type as floats, its own memory or scratch of the call.
const float* ReadScales(KernelContext& context, const Tensor& scale);

/// Zero points of any integer type as int32 in scratch of the call; NULL when omitted or of a floating-point type,
/// where they are zero by definition. Throws unless there are `count`.
const int32_t* ReadZeroPoints(KernelContext& context, const Tensor& zero_point, size_t count);

}  // namespace ortrun::cpu
