// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ortrun/kernel_context.h"
#include "ortrun/kernel_info.h"

namespace ortrun::cpu {

/// How a window moves over one to three spatial axes, always written as three (missing ones in front are 1).
struct WindowGeometry {
  static constexpr size_t kAxes = 3;
  using Extents = std::array<int64_t, kAxes>;
  Extents in{1, 1, 1};
  Extents out{1, 1, 1};
  Extents kernel{1, 1, 1};
  Extents stride{1, 1, 1};
  Extents dilation{1, 1, 1};
  Extents pad_begin{0, 0, 0};
  Extents pad_end{0, 0, 0};

  static int64_t Count(const Extents& extents) { return extents[0] * extents[1] * extents[2]; }
};

/// The attributes that convolutions and pools share: kernel_shape, strides, dilations, pads, auto_pad, ceil_mode.
/// Throws for values that no input could satisfy.
class WindowAttributes {
 public:
  explicit WindowAttributes(const KernelInfo& info);

  bool has_kernel() const { return !kernel_.empty(); }
  /// The geometry over an input's spatial dimensions; `kernel` replaces kernel_shape where that is absent.
  WindowGeometry Apply(std::span<const int64_t> spatial, std::span<const int64_t> kernel) const;
  /// For pools, whose kernel is the attribute.
  WindowGeometry Apply(std::span<const int64_t> spatial) const { return Apply(spatial, kernel_); }

  const std::vector<int64_t>& strides() const { return strides_; }
  const std::vector<int64_t>& dilations() const { return dilations_; }
  const std::vector<int64_t>& pads() const { return pads_; }
  enum class AutoPad { kNotSet, kValid, kSameUpper, kSameLower };
  AutoPad auto_pad() const { return auto_pad_; }

 private:
  std::vector<int64_t> kernel_;
  std::vector<int64_t> strides_;
  std::vector<int64_t> dilations_;
  std::vector<int64_t> pads_;
  AutoPad auto_pad_ = AutoPad::kNotSet;
  bool ceil_ = false;
};

}  // namespace ortrun::cpu
