// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <vector>

#include "ortrun/kernel.h"
#include "plugins/cpu/kernels/image/resize_axis.h"

namespace ortrun::cpu {

/// The axes of one call, outermost first.
using ResizeAxes = std::array<ResizeAxis, Shape::kMaxRank>;

/// Attributes of Resize and Upsample and where their inputs are, every version. Throws for values outside the standard.
class ResizeGeometry {
 public:
  explicit ResizeGeometry(const KernelInfo& info);

  const ResizeRules& rules() const { return rules_; }

  /// Reads scales or sizes and roi of a call. Throws for wrong counts, scales that are not positive and sizes that no
  /// tensor can have.
  ResizeAxes Apply(const KernelContext& context, const Shape& input) const;

 private:
  enum class Policy { kStretch, kNotLarger, kNotSmaller };

  std::vector<size_t> AxesOf(size_t rank) const;
  void ApplyScales(std::span<const float> scales, std::span<const size_t> axes, ResizeAxes& result) const;
  void ApplySizes(std::span<const int64_t> sizes, std::span<const size_t> axes, ResizeAxes& result) const;
  void ApplyRoi(const KernelContext& context, std::span<const size_t> axes, ResizeAxes& result) const;

  ResizeRules rules_;
  Policy policy_ = Policy::kStretch;
  std::vector<int64_t> axes_;
  std::vector<float> scales_;  ///< the attribute of Upsample 7
  bool has_scales_attribute_ = false;
  bool is_upsample_ = false;
  size_t roi_input_ = 0;  ///< 0: none
  size_t scales_input_ = 1;
  size_t sizes_input_ = 0;  ///< 0: none
};

}  // namespace ortrun::cpu
