// SPDX-License-Identifier: Apache-2.0
// Convolution with one filter a channel. Channels-last: vectors over channels, some output pixels of a row at a time
// share the weights and the input columns. Channels-first: vectors over a row, from a copy of the plane with its
// padding, split by stride so that every tap reads consecutive floats.
#include <algorithm>
#include <type_traits>
#include <utility>

#include "plugins/cpu/conv/loops.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "plugins/cpu/conv/depthwise.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"
#include "plugins/cpu/conv/finish-inl.h"
#include "plugins/cpu/vector/clamp-inl.h"
#include "plugins/cpu/vector/partial-inl.h"

#ifndef ORTRUN_CPU_CONV_DEPTHWISE
#define ORTRUN_CPU_CONV_DEPTHWISE
namespace ortrun::cpu {
namespace {

/// Some output pixels of one row, channels-last. Input column j of kernel row ky starts at
/// row + (ky - kernel_begin) * row_step + (column + j) * channels.
struct PixelGroup {
  const float* row;     ///< of the image, for kernel row kernel_begin
  size_t row_step;      ///< floats between the image's rows of two kernel rows
  size_t kernel_begin;  ///< kernel rows inside the image
  size_t kernel_end;
  size_t column;         ///< left of the image: below zero, wrapped around
  size_t columns_begin;  ///< those j whose column lies inside the image
  size_t columns_end;
  size_t kernel_width;
  size_t dilation;
  const float* weights;
  size_t padded_channels;
  size_t channels;
  const float* bias;
  const float* residual;
  float residual_scale;
  float* output;
  ConvFinish finish;
};

constexpr size_t kMostPixels = 8;

}  // namespace
}  // namespace ortrun::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace ortrun::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
namespace vec = ortrun::cpu::vector::HWY_NAMESPACE;
namespace {

using Tag = hn::ScalableTag<float>;
using Vec = hn::Vec<Tag>;

/// `count` lanes are stored.
template <size_t kPixels>
HWY_INLINE void FinishPixels(const PixelGroup& g, size_t channel, size_t count, Vec (&sum)[kPixels]) {
  const Tag d;
  const bool whole = count == hn::Lanes(d);
  if (g.finish.residual_first) {
    const Vec scale = hn::Set(d, g.residual_scale);
#pragma GCC unroll 8
    for (size_t p = 0; p < kPixels; ++p) {
      sum[p] = hn::MulAdd(vec::LoadPartial(d, g.residual + p * g.channels + channel, count), scale, sum[p]);
    }
  }
  if (g.finish.clamp) {
    const Vec low = hn::Set(d, g.finish.low);
    const Vec high = hn::Set(d, g.finish.high);
#pragma GCC unroll 8
    for (size_t p = 0; p < kPixels; ++p) sum[p] = vec::Clamp(low, high, sum[p]);
  }
  float* to = g.output + channel;
#pragma GCC unroll 8
  for (size_t p = 0; p < kPixels; ++p, to += g.channels) {
    if (whole) {
      hn::StoreU(sum[p], d, to);
    } else {
      vec::StorePartial(sum[p], d, to, count);
    }
  }
}

/// kInside: all columns lie inside the image.
template <size_t kWidth, size_t kStride, size_t kPixels, bool kInside>
HWY_INLINE void PixelVector(const PixelGroup& g, size_t channel) {
  const Tag d;
  Vec sum[kPixels];
  const Vec start = g.bias == nullptr ? hn::Zero(d) : hn::LoadU(d, g.bias + channel);
#pragma GCC unroll 8
  for (size_t p = 0; p < kPixels; ++p) sum[p] = start;
  const float* row = g.row + channel;
  const float* weights = g.weights + g.kernel_begin * kWidth * g.padded_channels + channel;
  for (size_t ky = g.kernel_begin; ky < g.kernel_end; ++ky, row += g.row_step) {
    Vec w[kWidth];
#pragma GCC unroll 8
    for (size_t kx = 0; kx < kWidth; ++kx, weights += g.padded_channels) w[kx] = hn::LoadU(d, weights);
    size_t at = g.column * g.channels;
#pragma GCC unroll 32
    for (size_t j = 0; j < (kPixels - 1) * kStride + kWidth; ++j, at += g.channels) {
      if (!kInside && (j < g.columns_begin || j >= g.columns_end)) continue;
      const Vec x = hn::LoadU(d, row + at);
#pragma GCC unroll 8
      for (size_t p = 0; p < kPixels; ++p) {
        if (j >= p * kStride && j - p * kStride < kWidth) sum[p] = hn::MulAdd(x, w[j - p * kStride], sum[p]);
      }
    }
  }
  FinishPixels<kPixels>(g, channel, hn::Lanes(d), sum);
}

/// At least one vector of channels; the last vector overlaps the one before it where it would be partial.
template <size_t kWidth, size_t kStride, size_t kPixels>
void Pixels(const PixelGroup& g) {
  const size_t lanes = hn::Lanes(Tag());
  const auto all = [&](auto inside) HWY_ATTR {
    for (size_t channel = 0; channel < g.channels; channel += lanes) {
      PixelVector<kWidth, kStride, kPixels, decltype(inside)::value>(g, HWY_MIN(channel, g.channels - lanes));
    }
  };
  constexpr size_t kColumns = (kPixels - 1) * kStride + kWidth;
  g.columns_begin == 0 && g.columns_end == kColumns ? all(std::true_type()) : all(std::false_type());
}

/// One pixel; any kernel, dilation and number of channels.
void AnyPixel(const PixelGroup& g) {
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  for (size_t channel = 0; channel < g.channels; channel += lanes) {
    const size_t count = HWY_MIN(lanes, g.channels - channel);
    Vec sum[1] = {g.bias == nullptr ? hn::Zero(d) : vec::LoadPartial(d, g.bias + channel, count)};
    const float* row = g.row + channel;
    for (size_t ky = g.kernel_begin; ky < g.kernel_end; ++ky, row += g.row_step) {
      const float* weights = g.weights + ky * g.kernel_width * g.padded_channels + channel;
      for (size_t kx = 0; kx < g.kernel_width; ++kx, weights += g.padded_channels) {
        const size_t j = kx * g.dilation;
        if (j < g.columns_begin || j >= g.columns_end) continue;
        const Vec x = vec::LoadPartial(d, row + (g.column + j) * g.channels, count);
        sum[0] = hn::MulAdd(x, hn::LoadU(d, weights), sum[0]);
      }
    }
    FinishPixels<1>(g, channel, count, sum);
  }
}

using PixelFunction = void (*)(const PixelGroup& g);

template <size_t kWidth, size_t kStride, size_t... kCount>
PixelFunction OfCount(size_t pixels, std::index_sequence<kCount...>) {
  static constexpr PixelFunction kFunctions[] = {&Pixels<kWidth, kStride, kCount + 1>...};
  return kFunctions[pixels - 1];
}

/// For so many pixels at once, or null.
PixelFunction FastPixels(const Conv2dShape& s, size_t pixels) {
  constexpr auto kCounts = std::make_index_sequence<kMostPixels>();
  if (s.dilation_width != 1 || s.in_channels < hn::Lanes(Tag())) return nullptr;
  if (s.kernel_width == 3 && s.stride_width == 1) return OfCount<3, 1>(pixels, kCounts);
  if (s.kernel_width == 3 && s.stride_width == 2) return OfCount<3, 2>(pixels, kCounts);
  if (s.kernel_width == 5 && s.stride_width == 1) return OfCount<5, 1>(pixels, kCounts);
  if (s.kernel_width == 5 && s.stride_width == 2) return OfCount<5, 2>(pixels, kCounts);
  if (s.kernel_width == 7 && s.stride_width == 1) return OfCount<7, 1>(pixels, kCounts);
  return nullptr;
}

/// One output row of a channels-last image, in groups of nearly equal size.
void ChannelsRow(const ConvGeometry& g, const ConvOperands& o, size_t row) {
  const Conv2dShape& s = g.shape;
  const size_t lanes = hn::Lanes(Tag());
  const size_t top = row % g.out_height * s.stride_height;
  PixelGroup group{};
  group.row_step = s.dilation_height * s.in_width * s.in_channels;
  group.kernel_width = s.kernel_width;
  group.dilation = s.dilation_width;
  group.weights = o.weights;
  group.channels = s.in_channels;
  group.padded_channels = (s.in_channels + lanes - 1) / lanes * lanes;
  group.bias = o.epilogue.bias;
  group.residual_scale = o.epilogue.residual_scale;
  group.finish = MakeFinish(o.epilogue);
  group.kernel_begin =
      top >= s.pad_top ? 0 : HWY_MIN(s.kernel_height, (s.pad_top - top + s.dilation_height - 1) / s.dilation_height);
  group.kernel_end = group.kernel_begin;
  while (group.kernel_end < s.kernel_height && top + group.kernel_end * s.dilation_height - s.pad_top < s.in_height) {
    ++group.kernel_end;
  }
  const size_t image = row / g.out_height * s.in_height;
  const size_t first_row = top + group.kernel_begin * s.dilation_height - s.pad_top;
  group.row = o.input;
  if (group.kernel_begin < group.kernel_end) group.row += (image + first_row) * s.in_width * s.in_channels;

  const size_t most = FastPixels(s, 1) == nullptr ? 1 : kMostPixels;
  const size_t groups = (g.out_width + most - 1) / most;
  for (size_t index = 0; index < groups; ++index) {
    const Range range = PartOf(g.out_width, groups, index);
    const size_t pixels = range.end - range.begin;
    const size_t left = range.begin * s.stride_width;
    const size_t columns = (pixels - 1) * s.stride_width + (s.kernel_width - 1) * s.dilation_width + 1;
    group.column = left - s.pad_left;
    group.columns_begin = left >= s.pad_left ? 0 : HWY_MIN(columns, s.pad_left - left);
    const size_t beyond = s.in_width + s.pad_left;
    group.columns_end = beyond <= left ? 0 : HWY_MIN(columns, beyond - left);
    const size_t at = (row * g.out_width + range.begin) * s.in_channels;
    group.output = o.output + at;
    group.residual = o.epilogue.residual == nullptr ? nullptr : o.epilogue.residual + at;
    const PixelFunction run = FastPixels(s, pixels);
    run == nullptr ? AnyPixel(group) : run(group);
    if (group.finish.second_pass) FinishRow(o.epilogue, group.output, pixels * s.in_channels, group.residual);
  }
}

/// One channels-first plane: batch and channel. `copy` is laid out as PlaneScratch says.
void Plane(const ConvGeometry& g, const ConvOperands& o, size_t plane, float* copy, size_t phase_width) {
  const Conv2dShape& s = g.shape;
  const Tag d;
  const size_t lanes = hn::Lanes(d);
  const size_t channel = plane % s.in_channels;
  const float* image = o.input + plane * s.in_height * s.in_width;
  const size_t row_floats = phase_width * s.stride_width;
  for (size_t y = 0; y < s.in_height; ++y) {
    const float* from = image + y * s.in_width;
    float* to = copy + y * row_floats;
    if (s.stride_width == 1) {
      std::copy_n(from, s.in_width, to + s.pad_left);  // the padding stays zero from plane to plane
    } else {
      size_t phase = s.pad_left % s.stride_width;
      size_t index = s.pad_left / s.stride_width;
      for (size_t x = 0; x < s.in_width; ++x) {
        to[phase * phase_width + index] = from[x];
        if (++phase == s.stride_width) {
          phase = 0;
          ++index;
        }
      }
    }
  }
  const float* weights = o.weights + channel * s.kernel_height * s.kernel_width;
  const Vec bias = hn::Set(d, o.epilogue.bias == nullptr ? 0.0F : o.epilogue.bias[channel]);
  const ConvFinish finish = MakeFinish(o.epilogue);
  const Vec low = hn::Set(d, finish.low);
  const Vec high = hn::Set(d, finish.high);
  const Vec scale = hn::Set(d, o.epilogue.residual_scale);
  for (size_t oy = 0; oy < g.out_height; ++oy) {
    const size_t at = (plane * g.out_height + oy) * g.out_width;
    const float* residual = o.epilogue.residual == nullptr ? nullptr : o.epilogue.residual + at;
    for (size_t ox = 0; ox < g.out_width; ox += lanes) {
      const size_t count = HWY_MIN(lanes, g.out_width - ox);
      Vec sum = bias;
      for (size_t ky = 0; ky < s.kernel_height; ++ky) {
        const size_t iy = oy * s.stride_height + ky * s.dilation_height - s.pad_top;
        if (iy >= s.in_height) continue;
        for (size_t kx = 0; kx < s.kernel_width; ++kx) {
          const size_t shift = kx * s.dilation_width;
          const float* from = copy + iy * row_floats + shift % s.stride_width * phase_width + shift / s.stride_width;
          sum = hn::MulAdd(hn::LoadU(d, from + ox), hn::Set(d, weights[ky * s.kernel_width + kx]), sum);
        }
      }
      if (finish.residual_first) sum = hn::MulAdd(vec::LoadPartial(d, residual + ox, count), scale, sum);
      if (finish.clamp) sum = vec::Clamp(low, high, sum);
      vec::StorePartial(sum, d, o.output + at + ox, count);
    }
    if (finish.second_pass) FinishRow(o.epilogue, o.output + at, g.out_width, residual);
  }
}

size_t LaneCount() { return hn::Lanes(Tag()); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace ortrun::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ortrun::cpu {
namespace {

HWY_EXPORT(ChannelsRow);
HWY_EXPORT(Plane);
HWY_EXPORT(LaneCount);

constexpr size_t kBlockWork = size_t{1} << 15;

size_t Lanes() { return HWY_DYNAMIC_DISPATCH(LaneCount)(); }

size_t Blocks(size_t parts, size_t work, size_t threads) {
  return threads <= 1 ? 1 : std::max<size_t>(1, std::min({parts, work / kBlockWork, threads * 4}));
}

size_t Work(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  return s.batch * g.out_height * g.out_width * s.in_channels * s.kernel_height * s.kernel_width;
}

/// Each row of the copy holds stride_width phases: padded column x is element x / stride of phase x % stride.
size_t PhaseWidth(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  const size_t padded = s.pad_left + s.in_width + s.pad_right;
  return padded / s.stride_width + 1 + Lanes();  // vectors read past the last column
}

size_t PlaneBytes(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  // The last vector of the last phase may start at its last element.
  return AlignedBytes((s.in_height * PhaseWidth(g) * s.stride_width + Lanes()) * sizeof(float));
}

}  // namespace

size_t ChannelWeightsSize(const ConvGeometry& g) {
  const Conv2dShape& s = g.shape;
  const size_t lanes = Lanes();
  return s.kernel_height * s.kernel_width * ((s.in_channels + lanes - 1) / lanes * lanes) * sizeof(float);
}

void PackChannelWeights(const ConvGeometry& g, const float* weights, float* packed) {
  const Conv2dShape& s = g.shape;
  const size_t taps = s.kernel_height * s.kernel_width;
  const size_t padded = ChannelWeightsSize(g) / sizeof(float) / taps;
  for (size_t tap = 0; tap < taps; ++tap) {
    for (size_t channel = 0; channel < padded; ++channel) {
      packed[tap * padded + channel] = channel < s.in_channels ? weights[channel * taps + tap] : 0.0F;
    }
  }
}

void RunChannels(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel) {
  const size_t rows = g.shape.batch * g.out_height;
  const size_t blocks = Blocks(rows, Work(g), parallel.threads);
  const auto run = HWY_DYNAMIC_DISPATCH(ChannelsRow);
  parallel.For(blocks, [&](size_t block) {
    const Range range = PartOf(rows, blocks, block);
    for (size_t row = range.begin; row < range.end; ++row) run(g, operands, row);
  });
}

size_t PlaneScratchSize(const ConvGeometry& g, size_t threads) {
  return Blocks(g.shape.batch * g.shape.in_channels, Work(g), threads) * PlaneBytes(g);
}

void RunPlanes(const ConvGeometry& g, const ConvOperands& operands, const Parallel& parallel) {
  const size_t planes = g.shape.batch * g.shape.in_channels;
  const size_t blocks = Blocks(planes, Work(g), parallel.threads);
  const size_t bytes = PlaneBytes(g);
  const size_t phase_width = PhaseWidth(g);
  const auto run = HWY_DYNAMIC_DISPATCH(Plane);
  parallel.For(blocks, [&](size_t block) {
    float* copy = reinterpret_cast<float*>(operands.scratch + block * bytes);
    std::fill_n(copy, bytes / sizeof(float), 0.0F);
    const Range range = PartOf(planes, blocks, block);
    for (size_t plane = range.begin; plane < range.end; ++plane) run(g, operands, plane, copy, phase_width);
  });
}

}  // namespace ortrun::cpu
#endif
