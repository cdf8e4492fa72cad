// SPDX-License-Identifier: Apache-2.0
// The formulas are those of the ONNX specification of Resize and its reference evaluator.
#include "plugins/cpu/kernels/image/resize_axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ortrun::cpu {
namespace {

/// Where output index `at` lies on the input axis. Nearest and float data use float, as ONNX Runtime does, so that the
/// same side is chosen where a coordinate falls between two elements.
template <typename W>
W SourceCoordinate(CoordinateMode mode, const ResizeAxis& axis, int64_t at) {
  const W x = static_cast<W>(at);
  const W scale = static_cast<W>(axis.scale);
  const W in = static_cast<W>(axis.in);
  // Where a scale makes a fraction of an element, the corners are those of what is made, whose length is whole.
  const W intervals = static_cast<W>(axis.out - 1);
  constexpr W kHalf = W(0.5);
  switch (mode) {
    case CoordinateMode::kAlignCorners:
      return intervals == 0 ? W(0) : x * (in - 1) / intervals;
    case CoordinateMode::kAsymmetric:
      return x / scale;
    case CoordinateMode::kTfCropAndResize: {
      const W begin = static_cast<W>(axis.roi_begin);
      const W end = static_cast<W>(axis.roi_end);
      const W within = intervals == 0 ? (end - begin) * (in - 1) / 2 : x * (end - begin) * (in - 1) / intervals;
      return within + begin * (in - 1);
    }
    case CoordinateMode::kPytorchHalfPixel:
      return intervals == 0 ? W(0) : (x + kHalf) / scale - kHalf;
    case CoordinateMode::kTfHalfPixelForNn:
      return (x + kHalf) / scale;
    case CoordinateMode::kHalfPixelSymmetric: {
      const W adjustment = static_cast<W>(axis.out) / (scale * in);  // 1 but for the fraction that was cut off
      return in / 2 * (1 - adjustment) + (x + kHalf) / scale - kHalf;
    }
    case CoordinateMode::kHalfPixel:
      break;
  }
  return (x + kHalf) / scale - kHalf;
}

/// A coordinate as a whole number that is safe to convert, even where it is infinite or NaN.
template <typename W>
int64_t Whole(W x) {
  constexpr W kFar = W(1LL << 40);
  return std::isnan(x) ? 0 : static_cast<int64_t>(std::clamp(x, -kFar, kFar));
}

template <typename W>
bool IsOutside(const ResizeRules& rules, const ResizeAxis& axis, W x) {
  return rules.coordinates == CoordinateMode::kTfCropAndResize && !(x >= 0 && x <= static_cast<W>(axis.in - 1));
}

int64_t NearestOf(NearestMode mode, bool shrinks, float x) {
  const float below = std::floor(x);
  const float part = x - below;
  switch (mode) {
    case NearestMode::kRoundPreferFloor:
      return Whole(part <= 0.5f ? below : below + 1);
    case NearestMode::kRoundPreferCeil:
      return Whole(part < 0.5f ? below : below + 1);
    case NearestMode::kCeil:
      return Whole(std::ceil(x));
    case NearestMode::kSimple:
      return Whole(shrinks ? std::ceil(x) : below);
    case NearestMode::kFloor:
      break;
  }
  return Whole(below);
}

double LinearWeight(double distance) { return std::max(0.0, 1.0 - std::abs(distance)); }

/// The convolution kernel of Keys; `a` is its slope at 1.
double CubicWeight(double distance, double a) {
  const double x = std::abs(distance);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0.0;
}

/// The taps of an axis lie at first .. first + count - 1, counted from the element left of the coordinate.
struct Window {
  int64_t first;
  int64_t count;
  double stretch;  ///< distances are multiplied by it
};

Window WindowOf(const ResizeRules& rules, const ResizeAxis& axis) {
  const int64_t reach = rules.mode == ResizeMode::kCubic ? 2 : 1;
  if (!rules.antialias) return {1 - reach, 2 * reach, 1.0};
  const double stretch = std::min(axis.scale, 1.0);
  const int64_t first = Whole(std::floor(-static_cast<double>(reach) / stretch)) + 1;
  return {first, 2 - 2 * first, stretch};
}

}  // namespace

template <typename W>
AxisTaps<W> MakeAxisTaps(KernelContext& context, const ResizeRules& rules, const ResizeAxis& axis) {
  Require(axis.in <= std::numeric_limits<int32_t>::max(), "an axis of ", axis.in, " elements is too long to resize");
  const Window window = WindowOf(rules, axis);
  const auto out = static_cast<size_t>(axis.out);
  const auto taps = static_cast<size_t>(window.count);
  size_t entries = 0;
  Require(!__builtin_mul_overflow(out, taps, &entries) && entries <= std::numeric_limits<int64_t>::max() / sizeof(W),
          "resizing ", axis.in, " to ", axis.out, " elements needs too large a table of weights");
  auto* index = context.Scratch<int32_t>(entries);
  auto* weight = context.Scratch<W>(entries);
  auto* outside = rules.coordinates == CoordinateMode::kTfCropAndResize ? context.Scratch<uint8_t>(out) : nullptr;
  for (size_t i = 0; i < out; ++i) {
    const W x = SourceCoordinate<W>(rules.coordinates, axis, static_cast<int64_t>(i));
    if (outside != nullptr) outside[i] = IsOutside(rules, axis, x);
    // A coordinate on an element is seen as the right end of the interval before it.
    const int64_t left = Whole(std::ceil(x)) - 1;
    const double ratio = static_cast<double>(x) - static_cast<double>(left);
    double sum = 0.0;
    for (size_t k = 0; k < taps; ++k) {
      const int64_t offset = window.first + static_cast<int64_t>(k);
      const int64_t at = left + offset;
      const double distance = (static_cast<double>(offset) - ratio) * window.stretch;
      double w = rules.mode == ResizeMode::kCubic ? CubicWeight(distance, static_cast<double>(rules.cubic_coefficient))
                                                  : LinearWeight(distance);
      if (rules.exclude_outside && (at < 0 || at >= axis.in)) w = 0.0;
      index[k * out + i] = static_cast<int32_t>(std::clamp<int64_t>(at, 0, axis.in - 1));
      weight[k * out + i] = static_cast<W>(w);
      sum += w;
    }
    if ((rules.antialias || rules.exclude_outside) && sum != 0.0)
      for (size_t k = 0; k < taps; ++k) weight[k * out + i] = static_cast<W>(weight[k * out + i] / sum);
  }
  return {axis.in, axis.out, taps, index, weight, outside};
}

template AxisTaps<float> MakeAxisTaps<float>(KernelContext&, const ResizeRules&, const ResizeAxis&);
template AxisTaps<double> MakeAxisTaps<double>(KernelContext&, const ResizeRules&, const ResizeAxis&);

AxisTaps<float> MakeNearestTaps(KernelContext& context, const ResizeRules& rules, const ResizeAxis& axis) {
  Require(axis.in <= std::numeric_limits<int32_t>::max(), "an axis of ", axis.in, " elements is too long to resize");
  const auto out = static_cast<size_t>(axis.out);
  auto* index = context.Scratch<int32_t>(out);
  auto* outside = rules.coordinates == CoordinateMode::kTfCropAndResize ? context.Scratch<uint8_t>(out) : nullptr;
  for (size_t i = 0; i < out; ++i) {
    const float x = SourceCoordinate<float>(rules.coordinates, axis, static_cast<int64_t>(i));
    if (outside != nullptr) outside[i] = IsOutside(rules, axis, x);
    const int64_t at = NearestOf(rules.nearest, axis.scale < 1.0, x);
    index[i] = static_cast<int32_t>(std::clamp<int64_t>(at, 0, axis.in - 1));
  }
  return {axis.in, axis.out, 1, index, nullptr, outside};
}

}  // namespace ortrun::cpu
