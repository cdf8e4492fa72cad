// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>

#include "plugins/cpu/kernels/nn/convolution.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/kernels/nn/depthwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

#ifndef ORTRUN_DEPTHWISE_LAYOUT
#define ORTRUN_DEPTHWISE_LAYOUT
namespace ortrun::cpu {
namespace {

/// The padded plane: each row is split into `stride` phases, so that the outputs of a row read neighbours.
struct PaddedPlane {
  static constexpr size_t kSlack = 16;  ///< floats that a vector at the end may read beyond
  size_t rows;
  size_t phases;
  size_t phase_width;
  explicit PaddedPlane(const WindowGeometry& g)
      : rows(static_cast<size_t>((g.out[1] - 1) * g.stride[1] + (g.kernel[1] - 1) * g.dilation[1] + 1)),
        phases(static_cast<size_t>(g.stride[2])),
        phase_width(static_cast<size_t>(g.out[2] + (g.kernel[2] - 1) * g.dilation[2] / g.stride[2] + 1) + kSlack) {}
  size_t row_size() const { return phases * phase_width; }
};

}  // namespace
}  // namespace ortrun::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One row of outputs: `taps` offsets from `row` with their weights.
void DepthwiseRow(const float* row, const size_t* offsets, const float* weights, size_t taps, float bias, float* y,
                  size_t count) {
  const hn::ScalableTag<float> d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 2 * lanes <= count; i += 2 * lanes) {
    auto first = hn::Set(d, bias);
    auto second = first;
    for (size_t t = 0; t < taps; ++t) {
      const auto weight = hn::Set(d, weights[t]);
      first = hn::MulAdd(weight, hn::LoadU(d, row + offsets[t] + i), first);
      second = hn::MulAdd(weight, hn::LoadU(d, row + offsets[t] + i + lanes), second);
    }
    hn::StoreU(first, d, y + i);
    hn::StoreU(second, d, y + i + lanes);
  }
  for (; i < count; i += lanes) {
    auto sum = hn::Set(d, bias);
    for (size_t t = 0; t < taps; ++t)
      sum = hn::MulAdd(hn::Set(d, weights[t]), hn::LoadU(d, row + offsets[t] + i), sum);
    if (i + lanes <= count) {
      hn::StoreU(sum, d, y + i);
    } else {
      HWY_ALIGN float tail[hn::MaxLanes(d)];
      hn::Store(sum, d, tail);
      std::memcpy(y + i, tail, (count - i) * sizeof(float));
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {

HWY_EXPORT(DepthwiseRow);

size_t DepthwiseScratch(const WindowGeometry& window) {
  const PaddedPlane plane(window);
  const auto taps = static_cast<size_t>(WindowGeometry::Count(window.kernel));
  return plane.rows * plane.row_size() + 4 * taps + 16;
}

void ConvolveDepthwisePlane(const WindowGeometry& g, const float* x, const float* w, float bias, float* scratch,
                            float* y) {
  const PaddedPlane plane(g);
  const size_t row_size = plane.row_size();
  float* padded = scratch;
  std::memset(padded, 0, plane.rows * row_size * sizeof(float));
  const auto stride = static_cast<size_t>(g.stride[2]);
  for (int64_t ih = 0; ih < g.in[1]; ++ih) {
    const int64_t row = ih + g.pad_begin[1];
    if (row >= static_cast<int64_t>(plane.rows)) break;
    const float* from = x + ih * g.in[2];
    float* to = padded + static_cast<size_t>(row) * row_size;
    const auto begin = static_cast<size_t>(g.pad_begin[2]);
    const auto width = static_cast<size_t>(g.in[2]);
    if (stride == 1) {
      std::memcpy(to + begin, from, std::min(width, plane.phase_width - std::min(begin, plane.phase_width)) * sizeof(float));
      continue;
    }
    for (size_t phase = 0; phase < stride; ++phase) {
      float* line = to + phase * plane.phase_width;
      for (size_t i = (phase + stride * begin - begin) % stride; i < width; i += stride) {
        const size_t column = (i + begin) / stride;
        if (column >= plane.phase_width) break;
        line[column] = from[i];
      }
    }
  }
  const auto taps = static_cast<size_t>(WindowGeometry::Count(g.kernel));
  auto* offsets = reinterpret_cast<size_t*>(  // NOLINT: scratch is plain memory, aligned up to 8 bytes
      (reinterpret_cast<uintptr_t>(padded + plane.rows * row_size) + 7) / 8 * 8);
  size_t tap = 0;
  for (int64_t kh = 0; kh < g.kernel[1]; ++kh)
    for (int64_t kw = 0; kw < g.kernel[2]; ++kw) {
      const auto column = static_cast<size_t>(kw * g.dilation[2]);
      offsets[tap++] = static_cast<size_t>(kh * g.dilation[1]) * row_size + column % stride * plane.phase_width + column / stride;
    }
  for (int64_t oh = 0; oh < g.out[1]; ++oh)
    HWY_DYNAMIC_DISPATCH(DepthwiseRow)
    (padded + static_cast<size_t>(oh * g.stride[1]) * row_size, offsets, w, taps, bias, y + oh * g.out[2],
     static_cast<size_t>(g.out[2]));
}

}  // namespace ortrun::cpu
#endif
