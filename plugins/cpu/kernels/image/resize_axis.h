// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "ortrun/kernel_context.h"

namespace ortrun::cpu {

enum class ResizeMode { kNearest, kLinear, kCubic };
enum class NearestMode {
  kRoundPreferFloor,
  kRoundPreferCeil,
  kFloor,
  kCeil,
  kSimple  ///< before version 11: ceil where the axis shrinks, else floor
};
enum class CoordinateMode {
  kHalfPixel,
  kHalfPixelSymmetric,
  kPytorchHalfPixel,
  kTfHalfPixelForNn,  ///< version 11 alone
  kAlignCorners,
  kAsymmetric,
  kTfCropAndResize
};

/// One axis of a resize. `roi_begin` and `roi_end` are fractions of the axis, for kTfCropAndResize.
struct ResizeAxis {
  int64_t in = 1;
  int64_t out = 1;
  double scale = 1.0;
  double roi_begin = 0.0;
  double roi_end = 1.0;

  bool IsIdentity() const { return in == out && scale == 1.0 && roi_begin == 0.0 && roi_end == 1.0; }
};

/// How coordinates become elements; the same for all axes of a node.
struct ResizeRules {
  ResizeMode mode = ResizeMode::kNearest;
  NearestMode nearest = NearestMode::kSimple;
  CoordinateMode coordinates = CoordinateMode::kAsymmetric;
  bool antialias = false;
  bool exclude_outside = false;
  float cubic_coefficient = -0.75f;
  float extrapolation_value = 0.0f;
};

/// For each output index of an axis, the input elements and weights that make it. Tables are [tap][output index], in
/// scratch memory of the call. Where `outside` is not NULL, outputs marked there take the extrapolation value.
template <typename W>
struct AxisTaps {
  int64_t in = 1;
  int64_t out = 1;
  size_t taps = 1;
  const int32_t* index = nullptr;  ///< in [0, in)
  const W* weight = nullptr;
  const uint8_t* outside = nullptr;
};

/// Table of one axis for linear and cubic. Coordinates are computed in W. `axis.in` and `axis.out` are at least 1.
template <typename W>
AxisTaps<W> MakeAxisTaps(KernelContext& context, const ResizeRules& rules, const ResizeAxis& axis);

/// Table of one axis for nearest: one tap, no weights.
AxisTaps<float> MakeNearestTaps(KernelContext& context, const ResizeRules& rules, const ResizeAxis& axis);

}  // namespace ortrun::cpu
